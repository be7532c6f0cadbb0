"""The worst cases."""

import numpy as np

from tests.evaluation.handmade import GRID, edema, hip, labels, write_masks, write_results
from toh_mri.evaluation import evaluate, write_evaluation


def test_the_gallery_begins_with_edema_that_was_not_measured_and_leaves_out_hips_without_any(out, truth, tmp_path):
    none = np.zeros(GRID.shape, np.uint8)
    write_results(
        out,
        {
            "dry": {"right": hip(edema=none)},
            "off": {"right": hip(edema=edema(GRID))},
            "half": {"right": {"grid": GRID, "row": {"status": "review", "reason": "no_reference"}}},
            "lost": "no_usable_series",
        },
    )
    for case, drawn in (("dry", none), ("off", edema(GRID, radius=6.0)), ("half", edema(GRID)), ("lost", edema(GRID))):
        write_masks(truth / case / "truth", "COR_STIR", GRID, labels=labels(GRID), edema=drawn)
    write_masks(truth / "gone" / "truth", "COR_STIR", GRID, labels=labels(GRID), edema=edema(GRID, radius=12.0))
    made = evaluate(out, truth)
    page = write_evaluation(made, tmp_path / "made").read_text(encoding="utf-8")
    shown = page.split("Largest difference of edema volume, ml")[1]
    captions = [part.split("</figcaption>")[0] for part in shown.split("<figcaption>")[1:]]
    assert [caption.split(",")[0] for caption in captions] == ["gone", "half", "lost", "off"]
    assert [caption.split("<br>")[1] for caption in captions[:3]] == [
        "not measured: no study",
        "not measured: no reference",
        "not measured: no usable series",
    ]
    total = made.by_reader["truth"].edema[0]
    assert (total.part, total.not_measured) == ("total", 3)
    assert "n = 1, 3 not measured)" in page  # Dice: of "off" alone


def test_a_lesion_too_small_for_the_programs_voxels_has_no_picture(out, truth, tmp_path):
    write_results(out, {"a": {"right": hip(edema=np.zeros(GRID.shape, np.uint8))}})
    fine = GRID.affine @ np.diag([0.25, 1.0, 1.0, 1.0])
    dot = np.zeros((4 * GRID.shape[0], *GRID.shape[1:]), np.uint8)
    dot[18, 30, 40] = 1  # halfway between two slices of the results
    write_masks(truth / "a" / "truth", "COR_STIR", type(GRID)(dot.shape, fine), edema=dot)
    page = write_evaluation(evaluate(out, truth), tmp_path / "made").read_text(encoding="utf-8")
    assert "Nothing to draw" in page
