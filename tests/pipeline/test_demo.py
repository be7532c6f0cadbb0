"""The first line of the README, from the command on."""

import csv
import os
import subprocess
import sys
from pathlib import Path


def test_demo_ends_with_the_path_of_a_report_that_shows_the_expected_patterns(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "toh_mri.cli.main", "demo", "--out", "demo"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    page = Path(done.stdout.splitlines()[-1])
    assert page == tmp_path / "demo" / "index.html"
    assert page.is_file()
    with (tmp_path / "demo" / "hips.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sorted((row["side"], row["pattern"]) for row in rows) == [
        ("left", "no_finding"),
        ("left", "on_like"),
        ("right", "no_finding"),
        ("right", "toh_like"),
    ]
    for row in rows:
        folder = tmp_path / "demo" / "studies" / row["study_id"]
        assert (folder / "report.html").is_file()
        assert (folder / f"hip-{row['side']}" / "anatomy.nii.gz").is_file()
