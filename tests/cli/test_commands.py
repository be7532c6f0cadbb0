import json
import subprocess
import sys
from dataclasses import replace

import pytest

import toh_mri.batch
import toh_mri.batch.runner
import toh_mri.io
from tests.export.handmade import failed_study_record, lacking_series, study_index, study_record
from toh_mri.batch import Outcome
from toh_mri.cli.screen import outcome_line
from toh_mri.core.errors import ExportError
from toh_mri.core.study import Contrast, SeriesSource
from toh_mri.geometry import Side
from toh_mri.io.discovery import Discovery

COMMANDS = (
    ("demo",),
    ("plan",),
    ("evaluate",),
    ("analyze",),
    ("batch",),
    ("phantom",),
    ("config", "show"),
    ("config", "validate"),
    ("config", "schema"),
)


@pytest.fixture
def found(monkeypatch):
    """Let the loaders find what the test puts into the list."""
    indices = []
    monkeypatch.setattr(toh_mri.io.studies, "discover", lambda *_: Discovery(tuple(indices), []))
    return indices


@pytest.fixture
def ran(monkeypatch):
    """Let every study end as the test says, and note how the run was asked for."""
    asked = {"records": [study_record()]}

    def run_studies(indices, out, config, *, command, force, on_done):
        asked.update(indices=indices, out=out, config=config, command=command, force=force)
        outcomes = [Outcome(record, kept=False, seconds=1.25) for record in asked["records"]]
        for outcome in outcomes:
            on_done(outcome)
        statuses = toh_mri.batch.runner.Counter(outcome.record.status for outcome in outcomes)
        pages = tuple(out / f"{outcome.record.study_id}.html" for outcome in outcomes)
        return toh_mri.batch.Summary(statuses=statuses, kept=0, index_page=out / "index.html", study_pages=pages)

    monkeypatch.setattr(toh_mri.batch, "run_studies", run_studies)
    return asked


def test_help_version_and_config_start_without_heavy_libraries():
    heavy = (
        "numpy",
        "numba",
        "scipy",
        "pydicom",
        "nibabel",
        "SimpleITK",
        "skimage",
        "matplotlib",
        "highdicom",
        "jinja2",
    )
    script = (
        "import sys\n"
        "from toh_mri.cli.main import main\n"
        "for argv in (['--help'], ['batch', '--help'], ['--version'], ['config', 'show']):\n"
        "    sys.argv = ['toh-mri', *argv]\n"
        "    try: main()\n"
        "    except SystemExit as left: assert not left.code, left.code\n"
        f"loaded = [name for name in {heavy!r} if name in sys.modules]\n"
        "assert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


def test_import_toh_mri_loads_nothing_heavy_and_offers_its_names():
    script = (
        "import sys, toh_mri as tm\n"
        "assert 'numpy' not in sys.modules\n"
        "assert set(tm.__all__) <= set(dir(tm))\n"
        "assert tm.__version__ and tm.Config().report and callable(tm.load_study)\n"
        "assert 'numba' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


@pytest.mark.parametrize("command", COMMANDS)
def test_common_options_are_everywhere(cli, command):
    status, out, _ = cli(*command, "--help")
    assert status == 0
    for option in ("--quiet", "--verbose", "--version"):
        assert option in out
    status, out, _ = cli(*command, "--version")
    assert status == 0
    assert out.startswith("toh-mri ")


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("batch",), ("analyze", "/nowhere", "--out", "x"), ("plan", "/nowhere")]
)
def test_wrong_usage_is_status_2(cli, arguments):
    assert cli(*arguments)[0] == 2


def test_wrong_setting_is_status_2_with_a_hint(cli, found, tmp_path):
    status, _, err = cli("batch", tmp_path, "--out", tmp_path / "o", "--set", "report.slices=2")
    assert status == 2
    assert "Hint:" in err


@pytest.mark.parametrize("command", ["plan", "batch", "analyze"])
def test_a_folder_without_a_study_is_status_3(cli, found, tmp_path, command):
    options = () if command == "plan" else ("--out", tmp_path / "out")
    status, _, err = cli(command, tmp_path, *options)
    assert status == 3
    assert "no study" in err
    assert not (tmp_path / "out").exists()


def test_batch_says_how_it_went_and_ends_with_the_page(cli, found, ran, tmp_path):
    found += [study_index()]
    status, out, err = cli(
        "batch",
        tmp_path,
        "--out",
        tmp_path / "o",
        "--keep-identifiers",
        "--set",
        "lesions.edema_threshold_sd=3",
    )
    assert status == 0
    assert out.splitlines()[-1] == str(tmp_path / "o" / "index.html")
    assert "[1/1] S1  review: left ON-like (1.2 s)" in err
    assert ran["config"].io.keep_identifiers
    assert ran["config"].lesions.edema_threshold_sd == 3
    assert (ran["command"], ran["force"]) == ("batch", False)


def test_batch_with_a_failed_study_is_status_1(cli, found, ran, tmp_path):
    found += [study_index(), study_index()]
    ran["records"] = [study_record(), failed_study_record()]
    status, _, err = cli("batch", tmp_path, "--out", tmp_path / "o", "--force")
    assert status == 1
    assert "No series fits. [no_usable_series]" in err
    assert ran["force"]


def test_quiet_says_where_the_results_are_and_no_more(cli, found, ran, tmp_path):
    found += [study_index()]
    status, out, err = cli("batch", tmp_path, "--out", tmp_path / "o", "--quiet")
    assert (status, out, err) == (0, f"{tmp_path / 'o' / 'index.html'}\n", "")


def test_analyze_takes_one_study_and_ends_with_its_report(cli, found, ran, tmp_path):
    found += [study_index()]
    status, out, _ = cli("analyze", tmp_path, "--out", tmp_path / "o")
    assert status == 0
    assert out.splitlines()[-1] == str(tmp_path / "o" / "S1.html")
    found += [study_index()]
    status, _, err = cli("analyze", tmp_path, "--out", tmp_path / "o")
    assert status == 2
    assert "toh-mri batch" in err


def test_an_output_folder_of_someone_else_is_status_2(cli, found, tmp_path):
    found += [study_index()]
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "thesis.docx").write_text("precious")
    status, _, err = cli("batch", tmp_path, "--out", tmp_path / "o")
    assert status == 2
    assert "not_our_folder" in err
    assert [path.name for path in (tmp_path / "o").iterdir()] == ["thesis.docx"]


def test_an_interrupt_is_status_130(cli, found, monkeypatch, tmp_path):
    found += [study_index()]

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(toh_mri.batch, "run_studies", interrupted)
    assert cli("batch", tmp_path, "--out", tmp_path / "o")[0] == 130


def test_an_error_while_writing_is_told_with_its_hint(cli, found, monkeypatch, tmp_path):
    found += [study_index()]

    def full(*_, **__):
        raise ExportError("not_writable", "hips.csv could not be written.", "Make room.")

    monkeypatch.setattr(toh_mri.batch, "run_studies", full)
    status, _, err = cli("batch", tmp_path, "--out", tmp_path / "o")
    assert status == 2
    assert "hips.csv could not be written. [not_writable]" in err
    assert "Hint: Make room." in err


def test_plan_as_text_and_as_json(cli, found, tmp_path):
    record = study_record()
    sources = tuple(SeriesSource(item.info, (), None, "t2 stir cor") for item in record.series)
    index = study_index()
    found += [type(index)(index.path, index.identity, sources, (), ("One file is odd.",))]
    status, out, _ = cli("plan", tmp_path)
    assert status == 0
    for words in (
        "COR_STIR",
        "t2 stir cor",
        "because its echo time",
        "It is a localizer. [localizer]",
        "One file is odd.",
    ):
        assert words in out
    status, out, _ = cli("plan", tmp_path, "--json")
    (study,) = json.loads(out)["studies"]
    assert status == 0
    assert [item["used"] for item in study["series"]] == [True, True, False]
    assert study["series"][0]["info"]["role"]["contrast"] == Contrast.STIR


def test_plan_of_studies_that_hold_nothing_usable_is_status_3(cli, found, tmp_path):
    found += [study_index()]
    status, out, _ = cli("plan", tmp_path)
    assert status == 3
    assert "Study root" in out


def test_plan_tells_studies_of_one_folder_apart(cli, found, tmp_path):
    for name in ("pictures/one", "pictures/two", "pictures"):
        index = study_index(tmp_path / "pictures")
        found.append(replace(index, identity=replace(index.identity, relative_path=name)))
    out = cli("plan", tmp_path)[1]
    headings = [line.removeprefix(f"Study {tmp_path}/") for line in out.splitlines() if line.startswith("Study")]
    assert headings == ["pictures (pictures/one)", "pictures (pictures/two)", "pictures"]


def test_a_series_that_was_lost_is_told_of_analysed_and_of_failed_studies(cli, found, ran, tmp_path):
    found += [study_index(), study_index()]
    ran["records"] = [lacking_series(study_record(), 1), lacking_series(failed_study_record(), 2)]
    err = cli("batch", tmp_path, "--out", tmp_path / "o")[2]
    assert "review: left ON-like (1.2 s); 1 series left out: missing_slices (see failures.csv)\n" in err
    assert "[no_usable_series]; 2 series left out: missing_slices (see failures.csv)\n" in err


def test_outcome_lines_name_no_source():
    line = outcome_line(Outcome(study_record(hips={Side.LEFT: study_record().hips[Side.LEFT]}), kept=True, seconds=0))
    assert line == "S1  review: left ON-like (unchanged)"
