"""Readers against each other, where they drew on different series."""

import numpy as np
import pytest

from tests.evaluation.handmade import GRID, coronal_grid, edema, hip, labels, write_masks, write_results
from toh_mri.evaluation import evaluate, write_evaluation

REVERSED = coronal_grid(reverse=True)


def test_readers_on_different_series_are_compared_on_the_grid_of_one(out, truth, tmp_path):
    write_results(out, {"a": {"right": hip()}})
    write_masks(truth / "a" / "anna", "COR_STIR", GRID, labels=labels(GRID), edema=edema(GRID))
    write_masks(truth / "a" / "ben", "COR_T2FS", REVERSED, labels=labels(REVERSED), edema=edema(REVERSED))
    made = evaluate(out, truth)
    (row,) = made.readers
    assert (row["series_a"], row["series_b"]) == ("COR_STIR", "COR_T2FS")
    assert row["edema_dice"] == row["femoral_head_dice"] == 1.0
    assert made.between[0].hips == 1
    assert made.readers_not_compared == ()
    write_evaluation(made, tmp_path / "made")
    assert "COR_T2FS" in (tmp_path / "made" / "evaluation_readers.csv").read_text()


@pytest.mark.parametrize("apart", ["structures", "places"])
def test_readers_who_cannot_be_compared_are_named_with_the_reason(out, truth, tmp_path, apart):
    write_results(out, {"a": {"right": hip()}})
    write_masks(truth / "a" / "anna", "COR_STIR", GRID, labels=labels(GRID))
    moved = np.array(GRID.affine)
    moved[:3, 3] += 1000 * (apart == "places")
    other = type(GRID)(GRID.shape, moved)
    drawn = {"edema": edema(GRID)} if apart == "structures" else {"labels": labels(GRID)}
    write_masks(truth / "a" / "ben", "COR_T2FS", other, **drawn)
    made = evaluate(out, truth)
    reason = {"structures": "no_structure_that_both_drew", "places": "fields_of_view_do_not_meet"}[apart]
    assert made.between == ()
    assert made.as_json()["readers_not_compared"] == [
        {"case": "a", "side": "right", "reader_a": "anna", "reader_b": "ben", "reason": reason}
    ]
    page = write_evaluation(made, tmp_path / "made").read_text(encoding="utf-8")
    assert reason.replace("_", " ") in page
