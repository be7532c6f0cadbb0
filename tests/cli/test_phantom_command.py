"""``toh-mri phantom`` on the command line."""

import pytest

import toh_mri.phantom
from toh_mri.core.errors import ExportError
from toh_mri.phantom import CaseDone, CaseFormat, Difficulty, Disease, plan_cohort


@pytest.fixture
def asked(monkeypatch):
    """Note what was asked for; every other case is there already."""
    noted = {}

    def write_cohort(out, n, seed, *, on_done, **options):
        noted.update(out=out, n=n, seed=seed, **options)
        for plan in plan_cohort(n, seed, classes=options["classes"]):
            on_done(CaseDone(plan, kept=plan.number % 2 == 0, seconds=1.25))

    monkeypatch.setattr(toh_mri.phantom, "write_cohort", write_cohort)
    return noted


def test_options_reach_the_cohort(cli, asked, tmp_path):
    status, out, err = cli(
        *("phantom", "--out", tmp_path / "o", "--n", 4, "--seed", 7, "--classes", "NORMAL, toh,toh"),
        *("--difficulty", "hard", "--format", "nifti,DICOM", "--visits", 2, "--jobs", 3),
    )
    assert status == 0
    assert asked == {
        "out": tmp_path / "o",
        "n": 4,
        "seed": 7,
        "classes": (Disease.NORMAL, Disease.TOH),
        "difficulties": (Difficulty.HARD,),
        "formats": (CaseFormat.NIFTI, CaseFormat.DICOM),
        "visits": 2,
        "jobs": 3,
    }
    assert out == f"{tmp_path / 'o' / 'cohort.csv'}\n"
    lines = err.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("[1/8] case-0001  ")
    assert "(1.2 s)" in lines[0]
    assert "(unchanged)" in lines[1]


def test_without_options_it_takes_every_disease_in_nifti(cli, asked, tmp_path):
    assert cli("phantom", "--out", tmp_path, "--n", 1, "--seed", 0)[0] == 0
    assert asked["classes"] == tuple(Disease)
    assert asked["difficulties"] == (Difficulty.STANDARD,)
    assert asked["formats"] == (CaseFormat.NIFTI,)
    assert asked["jobs"] == 1


def test_mixed_is_every_difficulty(cli, asked, tmp_path):
    assert cli("phantom", "--out", tmp_path, "--n", 1, "--seed", 0, "--difficulty", "mixed")[0] == 0
    assert asked["difficulties"] == tuple(Difficulty)


def test_quiet_says_where_the_list_is_and_no_more(cli, asked, tmp_path):
    status, out, err = cli("phantom", "--out", tmp_path, "--n", 2, "--seed", 0, "-q")
    assert (status, out, err) == (0, f"{tmp_path / 'cohort.csv'}\n", "")


@pytest.mark.parametrize(
    "wrong",
    [("--classes", "TOH,GOUT"), ("--classes", ""), ("--difficulty", "brutal"), ("--format", "png"), ("--n", 0)],
)
def test_wrong_usage_is_status_2_and_makes_nothing(cli, asked, tmp_path, wrong):
    status, _, err = cli("phantom", "--out", tmp_path, "--n", 1, "--seed", 0, *wrong)
    assert status == 2
    assert wrong[0] in err
    assert not asked


def test_an_unknown_difficulty_is_told_what_there_is(cli, asked, tmp_path):
    err = cli("phantom", "--out", tmp_path, "--n", 1, "--seed", 0, "--difficulty", "brutal")[2]
    assert "easy, standard, hard, mixed" in " ".join(err.replace("│", " ").split())


def test_a_folder_of_other_cases_is_status_2_with_a_hint(cli, monkeypatch, tmp_path):
    def refuse(*_, **__):
        raise ExportError("output_exists", "o holds other cases.", "Choose another folder.")

    monkeypatch.setattr(toh_mri.phantom, "write_cohort", refuse)
    status, _, err = cli("phantom", "--out", tmp_path, "--n", 1, "--seed", 0)
    assert status == 2
    assert "o holds other cases. [output_exists]" in err
    assert "Hint: Choose another folder." in err


def test_an_interrupt_is_status_130(cli, monkeypatch, tmp_path):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(toh_mri.phantom, "write_cohort", interrupted)
    status, _, err = cli("phantom", "--out", tmp_path, "--n", 1, "--seed", 0)
    assert status == 130
    assert "run again to go on" in err
