"""``toh-mri evaluate`` on the command line."""

import pytest

from tests.evaluation.handmade import coronal_grid, labels, write_masks, write_results

GRID = coronal_grid()


@pytest.fixture
def folders(tmp_path):
    anatomy = labels(GRID, first=0)
    write_results(tmp_path / "out", {name: {"right": {"grid": GRID, "anatomy": anatomy}} for name in ("a", "z")})
    for case in ("a", "d"):
        write_masks(tmp_path / "truth" / case / "truth", "COR_STIR", GRID, labels=labels(GRID))
    return tmp_path / "out", tmp_path / "truth", tmp_path / "made"


def test_it_prints_where_the_page_is_and_names_what_has_no_partner(cli, folders):
    results, truth, made = folders
    status, out, err = cli("evaluate", results, truth, "--out", made)
    assert status == 0
    assert out.strip() == str(made / "evaluation.html")
    assert (made / "evaluation.html").is_file()
    assert "z: no case of the truth belongs to it; not scored" in err
    assert "d: no study belongs to it; counted as failed" in err
    assert "Against truth: 2 hips, 1 segmented" in err


def test_quiet_says_where_the_page_is_and_no_more(cli, folders):
    results, truth, made = folders
    status, out, err = cli("evaluate", results, truth, "--out", made, "--quiet")
    assert (status, out.strip(), err) == (0, str(made / "evaluation.html"), "")


def test_results_stay_as_they_are_where_the_evaluation_lies_among_them(cli, folders):
    results, truth, _ = folders
    before = (results / "hips.csv").read_bytes()
    assert cli("evaluate", results, truth, "--out", results)[0] == 0
    assert (results / "hips.csv").read_bytes() == before


def test_wrong_folders_leave_with_status_2_and_a_hint(cli, folders):
    results, truth, made = folders
    status, out, err = cli("evaluate", truth, results, "--out", made)
    assert (status, out) == (2, "")
    assert "[no_truth]" in err
    assert "Hint: " in err


def test_help_lists_the_command(cli):
    status, out, _ = cli("--help")
    assert status == 0
    assert "evaluate" in out


def test_readers_that_cannot_be_compared_are_told_in_one_line(cli, folders):
    results, truth, made = folders
    write_masks(truth / "a" / "ben", "COR_T1", GRID, edema=labels(GRID, first=0) == 1)
    err = cli("evaluate", results, truth, "--out", made)[2]
    assert err.count("Readers not compared") == 1
    assert "no structure that both drew" in err
