"""From two folders to rows, figures and a page."""

import csv
import json

import numpy as np
import pytest

from tests.evaluation.handmade import (
    GRID,
    coronal_grid,
    edema,
    hip,
    labels,
    line,
    write_masks,
    write_results,
    write_truth_json,
)
from toh_mri.core.errors import InputError
from toh_mri.evaluation import evaluate, write_evaluation
from toh_mri.geometry import Image, Side
from toh_mri.io import write_nifti

REVERSED = coronal_grid(reverse=True)
TOH = {"pattern": "toh_like", "probability_on": "0.1"}
ON = {"pattern": "on_like", "probability_on": "0.9", "band_present": "true", "band_length_mm": "24"}


def only(made):
    (row,) = made.hips
    return row


def test_the_same_masks_agree_whatever_the_order_of_the_slices(out, truth):
    write_results(out, {"a": {"right": hip(TOH, edema=edema(GRID))}})
    write_masks(truth / "a" / "truth", "COR_STIR", REVERSED, labels=labels(REVERSED), edema=edema(REVERSED))
    row = only(evaluate(out, truth))
    assert row["femoral_head_dice"] == row["femoral_neck_dice"] == row["edema_dice"] == 1.0
    assert row["femoral_head_surface_distance_mm"] == row["femoral_neck_hausdorff95_mm"] == 0.0
    assert row["edema_total_difference_ml"] == pytest.approx(0.0)
    assert row["edema_femoral_head_ml"] == pytest.approx(edema(GRID).sum() * GRID.voxel_volume_ml)
    assert row["edema_femoral_neck_ml"] == 0.0
    assert "edema_acetabulum_ml" not in row  # neither drew one: absent, not zero


def test_a_shift_of_two_pixels_is_found(out, truth):
    write_results(out, {"a": {"right": hip(shift=2)}})
    write_masks(truth / "a" / "truth", "COR_STIR", GRID, labels=labels(GRID))
    row = only(evaluate(out, truth))
    assert row["femoral_head_hausdorff95_mm"] == pytest.approx(2.0)
    assert 0.3 < row["femoral_head_surface_distance_mm"] < 2.0
    assert 0.85 < row["femoral_head_dice"] < 0.99


def test_head_errors_are_against_the_generators_figures(out, truth):
    write_results(out, {"a": {"right": hip()}})
    write_masks(truth / "a" / "truth", "COR_STIR", GRID, labels=labels(GRID))
    facts = {"cls": "normal", "head_center_lps": [-60, 3, 4], "head_radius_mm": 15.0}
    write_truth_json(truth / "a" / "truth", {"R": facts})
    row = only(evaluate(out, truth))
    assert row["head_center_error_mm"] == pytest.approx(5.0)
    assert row["head_diameter_error_mm"] == pytest.approx(1.0)


def test_lines_are_compared_by_hip_and_by_millimetre(out, truth):
    write_results(out, {"a": {"right": hip(ON, band=line(GRID, rows=(22, 23)))}})
    write_masks(truth / "a" / "truth", "COR_STIR", GRID, labels=labels(GRID), line_serpiginous=line(GRID))
    write_truth_json(truth / "a" / "truth", {"R": "ON"})
    row = only(evaluate(out, truth))
    assert (row["band_truth"], row["band_present"]) == ("present", True)
    assert row["band_truth_length_mm"] == pytest.approx(23.0)
    assert (row["band_truth_found_fraction"], row["band_found_true_fraction"]) == (1.0, 1.0)
    assert (row["neck_line_truth"], row["neck_line_present"]) == ("absent", False)


def test_short_lines_are_neither_missed_nor_false(out, truth):
    write_results(out, {"a": {"right": hip(TOH)}, "b": {"right": hip(TOH)}})
    for case, length in (("a", 8.6), ("b", 15.0)):
        folder = truth / case / "truth"
        write_masks(folder, "COR_STIR", GRID, labels=labels(GRID), line_subchondral=line(GRID))
        write_truth_json(folder, {"R": "TOH"}, params={"joint": {"R": {"subchondral": {"length": length}}}})
    made = evaluate(out, truth)
    assert [row["subchondral_line_truth"] for row in made.hips] == ["short", "present"]
    detection = made.by_reader["truth"].lines["subchondral_line"]
    assert (detection.sensitivity.count, detection.sensitivity.n, detection.short_not_scored) == (0, 1, 1)
    assert detection.specificity.n == 0


def failing_cohort(out, truth):
    """One hip of each fate: measured, found on one side only, failed as a study, never analysed."""
    write_results(out, {"a": {"right": hip(ON)}, "b": "no_usable_series", "c": {"right": hip({"pattern": ""})}})
    for case, hips in (("a", {"R": "ON", "L": "TOH"}), ("b", {"R": "ON"}), ("c", {"R": "TOH"}), ("d", {"R": "TOH"})):
        sides = tuple({"R": "right", "L": "left"}[side] for side in hips)
        write_masks(truth / case / "truth", "COR_STIR", GRID, labels=labels(GRID, sides))
        lines = {"line_serpiginous": 0, "line_subchondral": 0, "line_neck": 0}
        facts = {s: {"cls": c, "volumes_ml": lines | {"line_serpiginous": float(c == "ON")}} for s, c in hips.items()}
        write_truth_json(truth / case / "truth", facts)
    write_masks(truth / "a" / "truth", "COR_STIR", GRID, line_serpiginous=line(GRID))
    return evaluate(out, truth)


def test_hips_without_a_result_are_failures_and_stay_in_every_rate(out, truth):
    made = failing_cohort(out, truth)
    reasons = {(row["case"], row["side"]): row["reason"] for row in made.hips if row["status"] == "failed"}
    assert reasons == {
        ("a", "left"): "no_hip_on_this_side",
        ("b", "right"): "no_usable_series",
        ("d", "right"): "no_study",
    }
    all_of_it = made.by_reader["truth"]
    assert (all_of_it.hips, all_of_it.segmented.count, all_of_it.segmented.n) == (5, 2, 5)
    assert (all_of_it.accepted.count, all_of_it.accepted.n) == (1, 5)
    assert all_of_it.patterns == {"ON": {"not classified": 1, "on_like": 1}, "TOH": {"not classified": 3}}
    band = all_of_it.lines["band"]
    assert (band.sensitivity.count, band.sensitivity.n) == (1, 2)
    assert (band.specificity.count, band.specificity.n) == (1, 3)  # "c" says none; "a" left and "d" failed
    # ON: 0.9 and wrong; TOH: three times wrong. No pair is in order.
    assert all_of_it.roc.value == 0.0
    assert all_of_it.calibration.brier == pytest.approx((0.01 + 1 + 3) / 5)


def test_what_has_no_partner_is_named(out, truth):
    write_results(out, {"a": {"right": hip(TOH), "left": hip(TOH, sides=("left",))}, "z": {"right": hip(TOH)}})
    for case in ("a", "d"):
        write_masks(truth / case / "truth", "COR_STIR", GRID, labels=labels(GRID))
    said = evaluate(out, truth).as_json()
    assert said["studies_without_truth"] == ["z"]
    assert said["cases_without_study"] == ["d"]
    assert said["hips_without_truth"] == ["a left"]


def test_groups_hold_every_hip_once(out, truth):
    made = failing_cohort(out, truth)
    for groups in made.by_group["truth"].values():
        assert sum(group.hips for group in groups.values()) == 5
    assert {name: group.hips for name, group in made.by_group["truth"]["slice spacing"].items()} == {
        "over 3.5 to 4.5 mm": 2,
        "not known": 3,
    }
    assert made.by_group["truth"]["reference sequence"]["STIR"].hips == 2


def test_one_mask_of_one_series_is_a_truth(out, truth):
    """An edema mask without labels, drawn on another series: both hips are compared, shapes are absent."""
    hips = {side: hip(sides=(side,), edema=edema(GRID, side)) for side in ("right", "left")}
    write_results(out, {"a": hips})
    both = edema(REVERSED, "right") | edema(REVERSED, "left", 6.0)
    write_masks(truth / "a" / "anna", "AX_PDFS", REVERSED, edema=both)
    made = evaluate(out, truth)
    left, right = made.hips
    assert (right["side"], right["truth_series"], right["reader"]) == ("right", "AX_PDFS", "anna")
    assert right["edema_dice"] == 1.0
    assert left["edema_total_difference_ml"] > 0.5
    assert "femoral_head_dice" not in right
    assert "band_truth" not in right
    assert made.by_reader["anna"].accepted.n == 0
    assert not made.synthetic


def test_the_most_parallel_series_stands_in_for_the_reference_series(out, truth):
    write_results(out, {"a": {"right": hip(edema=edema(GRID))}})
    affine = np.eye(4)
    affine[:3, :3] = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]]) * (4, 1, 1)  # axial: slices along z
    affine[:3, 3] = (-99.5, -20, -30)
    axial = type(GRID)((15, 41, 200), affine)
    write_masks(truth / "a" / "anna", "A", axial, edema=edema(axial))
    write_masks(truth / "a" / "anna", "B", REVERSED, edema=edema(REVERSED))
    assert only(evaluate(out, truth))["truth_series"] == "B"


def test_two_readers_are_compared_with_each_other_and_with_the_program(out, truth):
    radii = {"a": (8.0, 7.0), "b": (9.0, 10.0), "c": (11.0, 11.0)}
    write_results(out, {case: {"right": hip(TOH, edema=edema(GRID, radius=r[0]))} for case, r in radii.items()})
    for case, (anna, ben) in radii.items():
        masks = {"labels": labels(GRID)}
        write_masks(truth / case / "anna", "COR_STIR", GRID, edema=edema(GRID, radius=anna), **masks)
        write_masks(truth / case / "ben", "COR_STIR", GRID, edema=edema(GRID, radius=ben), **masks)
    made = evaluate(out, truth)
    assert made.by_reader["anna"].measures["edema_dice"].low == 1.0
    assert made.by_reader["ben"].measures["edema_dice"].low < 1.0
    (between,) = made.between
    assert (between.reader_a, between.reader_b, between.hips) == ("anna", "ben", 3)
    assert between.measures["femoral_head_dice"].median == 1.0
    # The program drew what anna drew: it agrees with ben as she does, but for the sign.
    against_ben = made.by_reader["ben"].edema[0]
    assert between.correlation.value == pytest.approx(against_ben.correlation.value)
    assert between.limits.bias == pytest.approx(against_ben.limits.bias)
    assert between.measures["edema_dice"] == made.by_reader["ben"].measures["edema_dice"]


def test_a_cell_that_is_no_number_is_refused_with_its_place(out, truth):
    for name, text in (("one", "n/a"), ("two", "nan")):
        write_results(out / name, {"a": {"right": hip(TOH)}, "b": {"right": hip({"head_diameter_mm": text})}})
        for case in ("a", "b"):
            write_masks(truth / case / "truth", "COR_STIR", GRID, labels=labels(GRID))
        with pytest.raises(InputError, match=f"hips.csv, row 3 .b, right., column head_diameter_mm: '{text}'") as error:
            evaluate(out / name, truth)
        assert error.value.code == "cell_not_a_number"


def test_a_side_that_is_none_is_refused_with_its_place(out, truth):
    write_results(out, {"a": {"right": hip(TOH)}})
    table = out / "hips.csv"
    table.write_text(table.read_text().replace("right", "middle"))
    write_masks(truth / "a" / "truth", "COR_STIR", GRID, labels=labels(GRID))
    with pytest.raises(InputError, match=r"row 2 .*'middle'") as error:
        evaluate(out, truth)
    assert error.value.code == "side_not_known"


def test_further_structures_are_scored_where_both_have_them(out, truth):
    write_results(out, {"a": {"right": hip(TOH, necrosis=edema(GRID, radius=8.0), cyst=edema(GRID))}})
    masks = {"necrosis": edema(GRID, radius=6.0), "effusion": edema(GRID)}
    write_masks(truth / "a" / "truth", "COR_STIR", GRID, labels=labels(GRID), **masks)
    row = only(evaluate(out, truth))
    big, small = edema(GRID, radius=8.0).sum(), edema(GRID, radius=6.0).sum()
    assert row["necrosis_difference_ml"] == pytest.approx((big - small) * GRID.voxel_volume_ml)
    assert row["necrosis_dice"] == pytest.approx(2 * small / (big + small))
    assert not [name for name in row if name.startswith(("effusion", "cyst"))]


def test_edema_overlap_by_region_counts_each_sides_own_region(out, truth):
    write_results(out, {"a": {"right": hip(TOH, edema=edema(GRID))}})
    write_masks(truth / "a" / "truth", "COR_STIR", GRID, labels=labels(GRID), edema=edema(GRID, radius=6.0))
    row = only(evaluate(out, truth))
    assert row["edema_femoral_head_dice"] == row["edema_dice"]  # all of it lies in the head
    assert row["edema_femoral_neck_dice"] is None  # neither has any there


def test_classes_that_the_rule_does_not_know_are_named_and_not_scored(out, truth, tmp_path):
    write_results(out, {"a": {"right": hip(TOH)}, "b": "no_usable_series"})
    for case in ("a", "b"):
        write_masks(truth / case / "truth", "COR_STIR", GRID, labels=labels(GRID))
        write_truth_json(truth / case / "truth", {"R": "REPLACEMENT"})
    made = evaluate(out, truth)
    figures = made.by_reader["truth"]
    assert (figures.accepted.n, figures.not_scored) == (0, {"REPLACEMENT": 2})
    assert figures.patterns == {"REPLACEMENT": {"not classified": 1, "toh_like": 1}}
    assert "REPLACEMENT (2)" in write_evaluation(made, tmp_path / "made").read_text(encoding="utf-8")


def test_place_axis_volume_and_confidence_are_judged(out, truth):
    """ "a" is right; "b" is 6 mm off, poorly outlined and sure of itself; "c" failed."""
    axis = {"neck_axis_x": "-1", "neck_axis_y": "0", "neck_axis_z": "-1", "segmentation_confidence": "0.95"}
    poor = {"grid": GRID, "row": axis, "anatomy": labels(GRID, radius=11.0, first=0)}
    write_results(out, {"a": {"right": hip(axis)}, "b": {"right": poor}, "c": "no_hip_found"})
    for case, off in (("a", 3.0), ("b", 6.0), ("c", 0.0)):
        write_masks(truth / case / "truth", "COR_STIR", GRID, labels=labels(GRID))
        facts = {"cls": "normal", "head_center_lps": [-60, off, 0], "neck_axis_lps": [-2.0, 0.0, 0.0]}
        write_truth_json(truth / case / "truth", {"R": facts})
    made = evaluate(out, truth)
    a, b, _ = made.hips
    assert a["neck_axis_error_degree"] == pytest.approx(45.0)
    assert a["head_volume_error_percent"] == pytest.approx(0.0)
    share = (labels(GRID, radius=11.0) == 1).sum() / (labels(GRID) == 1).sum()
    assert b["head_volume_error_percent"] == pytest.approx(100 * (share - 1))
    assert b["femoral_head_dice"] < 0.8
    figures = made.by_reader["truth"]
    assert (figures.localised.count, figures.localised.n) == (1, 3)
    assert (figures.confident_failures.count, figures.confident_failures.n) == (1, 3)
    assert figures.confidence.brier == pytest.approx((0.05**2 + 0.95**2) / 2)


def test_files_hold_the_figures_and_the_page_needs_nothing_else(out, truth, tmp_path):
    made = failing_cohort(out, truth)
    page = write_evaluation(made, tmp_path / "made").read_text(encoding="utf-8")
    with (tmp_path / "made" / "evaluation_hips.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["status"] for row in rows].count("failed") == 3
    assert rows[1]["femoral_head_dice"] == "1"
    assert rows[0]["femoral_head_dice"] == ""
    said = json.loads((tmp_path / "made" / "evaluation.json").read_text())
    assert said["readers"]["truth"]["all"]["accepted"] == {
        "count": 1,
        "n": 5,
        "patients": 4,
        "rate": None,
        "interval": None,
    }
    assert "For research use only" in page
    assert "1 of 5" in page
    assert "20 %" not in page  # five hips: a count, no rate
    assert "http" not in page
    assert not (tmp_path / "made" / "evaluation_readers.csv").exists()


def test_the_same_folders_give_the_same_bytes(out, truth, tmp_path):
    failing_cohort(out, truth)
    for name in ("one", "two"):
        write_evaluation(evaluate(out, truth), tmp_path / name)
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


@pytest.mark.parametrize("params", [None, {"seed": 1}])
def test_only_a_generators_truth_is_called_synthetic(out, truth, tmp_path, params):
    write_results(out, {"a": {"right": hip(TOH)}})
    write_masks(truth / "a" / "truth", "COR_STIR", GRID, labels=labels(GRID))
    write_truth_json(truth / "a" / "truth", {"R": "TOH"}, params=params)
    page = write_evaluation(evaluate(out, truth), tmp_path / "made").read_text(encoding="utf-8")
    assert ("accuracy on synthetic hips" in page) == (params is not None)


def test_the_gallery_shows_the_image_or_says_why_not(out, truth, tmp_path):
    source = tmp_path / "source" / "a"
    source.mkdir(parents=True)
    signal = np.random.default_rng(0).normal(100, 10, GRID.shape).astype(np.float32)
    write_nifti(source / "COR_STIR.nii.gz", Image(signal, GRID))
    write_masks(truth / "a" / "truth", "COR_STIR", GRID, labels=labels(GRID))
    write_results(out, {"a": {"right": hip(shift=1)}}, key=[("a", source, "COR_STIR=COR_STIR")])
    with_image = write_evaluation(evaluate(out, truth), tmp_path / "made").read_text(encoding="utf-8")
    (source / "COR_STIR.nii.gz").unlink()
    without = write_evaluation(evaluate(out, truth), tmp_path / "made").read_text(encoding="utf-8")
    assert "Lowest Dice of the head" in with_image
    assert "Outlines only" not in with_image
    assert "Outlines only: the images can no longer be read [no_study]" in without
    assert len(with_image) > len(without) + 10_000  # noise does not compress
    assert str(tmp_path) not in with_image + without


@pytest.mark.parametrize(
    ("broken", "code"), [("empty", "no_results"), ("names", "no_match"), ("json", "json_unreadable")]
)
def test_bad_input_is_refused_by_name(out, truth, broken, code):
    write_masks(truth / "a" / "truth", "COR_STIR", GRID, labels=labels(GRID))
    out.mkdir()
    if broken == "names":
        write_results(out, {"b": {"right": hip()}})
    if broken == "json":
        write_results(out, {"a": {"right": hip()}})
        (truth / "a" / "truth" / "truth.json").write_text("{")
    with pytest.raises(InputError) as error:
        evaluate(out, truth)
    assert error.value.code == code
    assert error.value.hint


def test_a_failed_study_of_a_truth_without_sides_is_one_failure(out, truth):
    write_results(out, {"a": "no_usable_series"})
    write_masks(truth / "a" / "anna", "COR_STIR", GRID, edema=edema(GRID))
    row = only(evaluate(out, truth))
    assert (row["status"], row["reason"], row["side"]) == ("failed", "no_usable_series", None)
    assert Side.RIGHT not in row.values()
