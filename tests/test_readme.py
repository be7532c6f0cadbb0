"""What the README promises is what happens."""

import json
import re
import runpy
import shutil
from pathlib import Path

import pytest

from toh_mri.export.tables import HIP_COLUMNS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
block = runpy.run_path(str(ROOT / ".ci" / "readme_block.py"))["block"]

TEXT = """Words.

<!-- command:one -->
```sh
echo one
```

<!-- command:two -->

```
echo two
echo three
```

```sh
echo four
```
"""


def test_a_block_is_found_below_its_marker():
    assert block(TEXT, "command:one") == "echo one"
    assert block(TEXT, "command:two") == "echo two\necho three"


@pytest.mark.parametrize("text", [TEXT.replace("two", "one"), TEXT.replace("command:one", "command:1")])
def test_a_marker_that_is_missing_or_not_unique_is_an_error(text):
    with pytest.raises(ValueError, match="not one"):
        block(text, "command:one")


@pytest.mark.parametrize(("name", "ends"), [("demo", "toh-mri demo"), ("test", "python -m pytest")])
def test_each_of_the_two_commands_is_one_line(name, ends):
    command = block(README, f"command:{name}")
    assert "\n" not in command
    assert command.endswith(ends)


def test_every_link_to_a_file_leads_to_one():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_every_column_named_is_a_column():
    table = README.split("| column | meaning |")[1].split("\n\n")[0]
    cells = [line.split("|")[1] for line in table.strip().splitlines()]
    named = set(re.findall(r"`(\w+)`", " ".join(cells)))
    assert "edema_volume_ml" in named
    assert named <= set(HIP_COLUMNS)


def study_with_a_left_hip(sample_data: Path) -> Path:
    """Return the folder of a sample study whose truth knows the left hip."""
    for truth in sorted(sample_data.glob("*/truth/truth.json")):
        if "L" in json.loads(truth.read_text(encoding="utf-8"))["hips"]:
            case = truth.parents[1]
            (study,) = [path for path in case.iterdir() if path.is_dir() and path.name != "truth"]
            return study
    raise AssertionError("no sample study shows a left hip")


def test_the_python_example_runs(sample_data, tmp_path, monkeypatch):
    shutil.copytree(study_with_a_left_hip(sample_data), tmp_path / "study")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(block(README, "example:python"), "README.md", "exec"), names)  # noqa: S102
    assert "left" in {row["side"] for row in names["rows"]}
    assert names["hip"].measurements.values["edema_volume_ml"] >= 0
    (page,) = (tmp_path / "results" / "studies").glob("*/report.html")
    assert page.stat().st_size > 0
    assert (tmp_path / "results" / "hips.csv").is_file()
