"""Cases and readers in folders, masks by side, studies to cases."""

from pathlib import Path

import numpy as np
import pytest

from tests.evaluation.handmade import CENTER, coronal_grid, edema, labels, write_masks, write_truth_json
from toh_mri.core.errors import InputError
from toh_mri.evaluation.matching import pair
from toh_mri.evaluation.results import StudyOutcome
from toh_mri.evaluation.truth import find_cases
from toh_mri.geometry import Side

GRID = coronal_grid()


def study(study_id, source=None):
    return StudyOutcome(study_id, study_id, {}, None, None if source is None else Path(source), {}, {})


def cases_named(tmp_path, *names):
    for name in names:
        write_masks(tmp_path / name / "truth", "COR_STIR", GRID, labels=labels(GRID))
    return find_cases(tmp_path)


def test_readers_are_folders_of_a_case_or_the_case_itself(tmp_path):
    write_masks(tmp_path / "case-01" / "anna", "COR_STIR", GRID, edema=edema(GRID))
    write_masks(tmp_path / "case-01" / "ben", "COR_STIR", GRID, edema=edema(GRID), labels=labels(GRID))
    write_masks(tmp_path / "case-02", "COR_T1", GRID, labels=labels(GRID))
    write_masks(tmp_path / "case-03" / "nifti", "COR", GRID, T1=labels(GRID))  # an image, no mask
    cases = find_cases(tmp_path)
    assert [(case.name, [reader.name for reader in case.readers]) for case in cases] == [
        ("case-01", ["anna", "ben"]),
        ("case-02", ["reader"]),
    ]
    assert {key: sorted(files) for key, files in cases[0].readers[1].files.items()} == {"COR_STIR": ["edema", "labels"]}


def test_a_single_case_may_be_given_itself(tmp_path):
    write_masks(tmp_path / "case-07" / "truth", "COR_STIR", GRID, labels=labels(GRID))
    write_truth_json(tmp_path / "case-07" / "truth", {"R": "TOH"})
    (case,) = find_cases(tmp_path / "case-07")
    assert (case.name, case.readers[0].name) == ("case-07", "truth")


def test_a_folder_without_masks_is_refused_with_the_layout(tmp_path):
    with pytest.raises(InputError, match="no mask") as error:
        find_cases(tmp_path)
    assert error.value.code == "no_truth"
    assert "_labels.nii.gz" in error.value.hint


def test_masks_of_one_series_on_two_grids_are_refused(tmp_path):
    write_masks(tmp_path / "a" / "x", "COR_STIR", GRID, labels=labels(GRID))
    other = coronal_grid(slices=5)
    write_masks(tmp_path / "a" / "x", "COR_STIR", other, edema=edema(other))
    with pytest.raises(InputError) as error:
        find_cases(tmp_path)[0].readers[0].hip("COR_STIR", Side.RIGHT, {})
    assert error.value.code == "truth_grids_differ"


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("drawn", [True, False])
def test_each_side_gets_its_own_edema(tmp_path, reverse, drawn):
    """By the drawn bones where there are any, else by the centres the program found."""
    grid = coronal_grid(reverse=reverse)
    own = {"right": edema(grid, "right", 8.0), "left": edema(grid, "left", 5.0)}
    masks = {"edema": own["right"] | own["left"]} | ({"labels": labels(grid, ("right", "left"))} if drawn else {})
    write_masks(tmp_path / "a" / "x", "COR_STIR", grid, **masks)
    reader = find_cases(tmp_path)[0].readers[0]
    assert set(reader.sides) == ({Side.RIGHT, Side.LEFT} if drawn else set())
    for side in Side:
        hip = reader.hip("COR_STIR", side, {side: CENTER[side] for side in Side})
        np.testing.assert_array_equal(hip.masks["edema"], own[side] > 0)


def test_the_centre_follows_the_movement_of_the_series(tmp_path):
    write_masks(tmp_path / "a" / "x", "COR_STIR", GRID, labels=labels(GRID))
    turn = [[0, -1, 0, 5], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    write_truth_json(
        tmp_path / "a" / "x",
        {"R": {"cls": "TOH", "head_center_lps": [-60, 1, 2]}},
        series={"COR_STIR": {"motion_lps_mm": [1, 2, 3]}, "COR_T1": {"movement_lps": turn}},
    )
    reader = find_cases(tmp_path)[0].readers[0]
    np.testing.assert_allclose(reader.head_center(Side.RIGHT, "COR_STIR"), [-59, 3, 5])
    np.testing.assert_allclose(reader.head_center(Side.RIGHT, "COR_T1"), [4, -60, 2])
    np.testing.assert_allclose(reader.head_center(Side.RIGHT, "AX_PDFS"), [-60, 1, 2])
    assert reader.head_center(Side.LEFT, "COR_T1") is None


def test_a_study_belongs_to_the_case_that_holds_its_source(tmp_path):
    cases = cases_named(tmp_path, "case-01", "case-02")
    found = pair([study("Sabc", tmp_path / "case-02" / "study")], cases)
    assert [(s.study_id, c.name) for s, c in found.pairs] == [("Sabc", "case-02")]
    assert [case.name for case in found.cases_alone] == ["case-01"]


def test_a_study_belongs_to_the_case_named_like_a_folder_of_its_source(tmp_path):
    cases = cases_named(tmp_path, "case-01", "case-02")
    found = pair([study("Sabc", "/elsewhere/case-01/study"), study("Sdef", "/elsewhere/case-09")], cases)
    assert [(s.study_id, c.name) for s, c in found.pairs] == [("Sabc", "case-01")]
    assert [s.study_id for s in found.studies_alone] == ["Sdef"]


def test_without_a_key_the_name_in_the_study_id_counts_and_no_part_of_it(tmp_path):
    cases = cases_named(tmp_path, "case-1", "case-10", "Sabc")
    found = pair([study("case-10__nifti"), study("Sabc"), study("case-100__nifti")], cases)
    assert [(s.study_id, c.name) for s, c in found.pairs] == [("case-10__nifti", "case-10"), ("Sabc", "Sabc")]
    assert [s.study_id for s in found.studies_alone] == ["case-100__nifti"]
