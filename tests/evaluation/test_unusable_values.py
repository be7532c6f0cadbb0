"""Cells and values of the wrong type are refused with their place."""

import json

import pytest

from tests.evaluation.handmade import GRID, edema, hip, labels, write_masks, write_results
from toh_mri.core.errors import InputError
from toh_mri.evaluation import evaluate


@pytest.mark.parametrize(
    ("column", "text"),
    [("edema_volume_ml", "abc"), ("edema_volume_ml", "12,5"), ("probability_on", "high"), ("band_length_mm", "1 cm")],
)
def test_every_cell_that_should_be_a_number_is_read(out, truth, column, text):
    """Also where the truth has nothing to compare it with."""
    write_results(out, {"a": {"right": hip({column: text})}})
    write_masks(truth / "a" / "truth", "COR_STIR", GRID, edema=edema(GRID))
    with pytest.raises(InputError, match=f"row 2 .a, right., column {column}: '{text}'") as error:
        evaluate(out, truth)
    assert error.value.code == "cell_not_a_number"


FACTS = {"cls": "normal", "head_center_lps": [-60, 0, 0], "head_radius_mm": 15, "neck_axis_lps": [1, 0, 0]}


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({"hips": {"R": FACTS | {"head_center_lps": "x"}}}, "hips.R.head_center_lps"),
        ({"hips": {"R": FACTS | {"head_center_lps": [1, 2]}}}, "hips.R.head_center_lps"),
        ({"hips": {"R": FACTS | {"head_radius_mm": "15"}}}, "hips.R.head_radius_mm"),
        ({"hips": {"R": FACTS | {"neck_axis_lps": [1, 0, None]}}}, "hips.R.neck_axis_lps.2"),
        ({"hips": {"R": FACTS | {"volumes_ml": {"line_neck": "a"}}}}, "hips.R.volumes_ml.line_neck"),
        ({"hips": {"R": FACTS | {"cls": 3}}}, "hips.R.cls"),
        ({"hips": ["R"]}, "hips"),
        ({"series": {"COR_STIR": {"movement_lps": [[1, 0], [0, 1]]}}}, "series.COR_STIR.movement_lps.0"),
        ({"params": {"joint": {"R": {"neck": {"length": "long"}}}}}, "params.joint.R.neck.length"),
    ],
)
def test_a_value_of_truth_json_of_the_wrong_type_is_told_by_case_and_key(out, truth, content, key):
    write_results(out, {"a": {"right": hip()}})
    write_masks(truth / "a" / "anna", "COR_STIR", GRID, labels=labels(GRID))
    (truth / "a" / "anna" / "truth.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=rf"Case a, reader anna: truth.json, key {key}") as error:
        evaluate(out, truth)
    assert error.value.code == "truth_value_unusable"


def test_a_truth_json_that_ends_early_is_told_by_case(out, truth):
    write_results(out, {"a": {"right": hip()}})
    write_masks(truth / "a" / "anna", "COR_STIR", GRID, labels=labels(GRID))
    (truth / "a" / "anna" / "truth.json").write_text('{"hips": {')
    with pytest.raises(InputError, match=r"Case a, reader anna: truth\.json is no JSON object"):
        evaluate(out, truth)
