"""A study that lacks slices goes through the whole chain, says so, and counts nothing in the gaps."""

import csv
import html
from dataclasses import replace

import numpy as np
import pytest

import toh_mri as tm
from toh_mri.core.hip import Label, Status, Structure
from toh_mri.core.study import Contrast
from toh_mri.geometry import Image, Side
from toh_mri.report.pictures import middle_picture

GONE = (8, 11)  # slices through the head
CONFIG = tm.Config().with_overrides(["io.salt=test", "preprocess.align=false"])


def lacking(series, slices):
    """Do what the loader does: fill missing slices from their neighbours, and say so."""
    array = np.array(series.image.array)
    for k in slices:
        array[k] = (array[k - 1] + array[k + 1]) / 2
    info = series.info.model_copy(update={"missing_slices": slices})
    return replace(series, info=info, image=Image(array, series.image.grid))


@pytest.fixture(scope="module")
def study(sample_data):
    """One series of a sample study, quick to analyse."""
    whole = tm.load_study(sample_data / "toh_right", CONFIG)
    return replace(whole, series=tuple(s for s in whole.series if s.role.contrast is Contrast.STIR))


@pytest.fixture(scope="module")
def whole(study):
    return tm.analyze_study(study, CONFIG)


@pytest.fixture(scope="module")
def part(study):
    return tm.analyze_study(replace(study, series=tuple(lacking(s, GONE) for s in study.series)), CONFIG)


def test_the_head_is_outlined_as_before(whole, part):
    before, after = (result.hips[Side.RIGHT].anatomy for result in (whole, part))
    assert np.linalg.norm(np.subtract(before.head.center, after.head.center)) < 1.5
    assert after.head.radius_mm == pytest.approx(before.head.radius_mm, abs=1.0)
    missing = part.hips[Side.RIGHT].images.reference_series.missing_slices
    assert (after.mask(Label.FEMORAL_HEAD)[list(missing)].sum(axis=(1, 2)) > 100).all()


def on_whole_grid(result, mask):
    hip = result.hips[Side.RIGHT]
    full = np.zeros(hip.images.full_grid_shape, bool)
    full[tuple(slice(a, a + n) for a, n in zip(hip.images.crop_start, mask.shape, strict=True))] = mask
    return full


def edema_of(result):
    return result.hips[Side.RIGHT].findings.masks[Structure.EDEMA].array


def test_edema_is_empty_where_slices_are_missing_and_unchanged_elsewhere(whole, part):
    before, after = (on_whole_grid(result, edema_of(result)) for result in (whole, part))
    assert (before[list(GONE)].sum(axis=(1, 2)) > 100).all()
    assert after[list(GONE)].sum() == 0
    before[list(GONE)] = False
    assert 2 * (before & after).sum() / (before.sum() + after.sum()) > 0.96
    volumes = [result.hips[Side.RIGHT].measurements.values["edema_volume_ml"] for result in (whole, part)]
    assert 0 < volumes[1] < volumes[0]
    there = np.setdiff1d(np.arange(len(before)), GONE)
    for name, label in (("head_edema_percent", Label.FEMORAL_HEAD), ("neck_edema_percent", Label.FEMORAL_NECK)):
        bone = on_whole_grid(whole, whole.hips[Side.RIGHT].anatomy.mask(label))[there]
        expected = 100 * (before[there] & bone).sum() / bone.sum()  # of the complete study, in the same slices
        # The outline of the bones, drawn without two slices, moves by up to a voxel.
        assert part.hips[Side.RIGHT].measurements.values[name] == pytest.approx(expected, abs=3.0)


def test_the_hip_is_degraded_and_asks_for_a_look(whole, part):
    hip = part.record.hips[Side.RIGHT]
    assert "degraded" in hip.measurements.flags
    assert hip.status is Status.REVIEW
    assert "missing_slices" in [check.code for check in hip.checks if check.status is Status.REVIEW]
    (warning,) = set(part.record.warnings) - set(whole.record.warnings)
    assert warning.startswith("Right hip: COR_STIR, the reference series, lacks 2 slices; edema there is not counted")
    complete = whole.record.hips[Side.RIGHT]
    assert "degraded" not in complete.measurements.flags
    assert "missing_slices" in [check.code for check in complete.checks if check.status is Status.OK]


def test_another_series_that_lacks_slices_does_not_degrade_the_hip(study, sample_data):
    t1 = next(s for s in tm.load_study(sample_data / "toh_right", CONFIG).series if s.role.contrast is Contrast.T1)
    hip = tm.analyze_study(replace(study, series=(*study.series, lacking(t1, GONE))), CONFIG).record.hips[Side.RIGHT]
    assert hip.measurements.values["edema_volume_ml"] > 0
    assert "degraded" not in hip.measurements.flags
    assert "missing_slices" in [check.code for check in hip.checks if check.status is Status.OK]


def test_tables_and_report_say_it(part, tmp_path):
    report = part.save(tmp_path / "out").read_text(encoding="utf-8")
    with (tmp_path / "out" / "hips.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert "degraded" in row["flags"].split(";")
    assert row["status"] == "review"
    page = html.unescape(report)
    assert '<h3 style="margin-top:0">Warnings</h3>' in page
    assert "<li>Right hip: COR_STIR, the reference series, lacks 2 slices; edema there is not counted" in page
    assert "missing: interpolated, nothing was measured here" in page
    assert "<b>2 missing</b>" in page
    assert (tmp_path / "out" / "studies" / row["study_id"] / "hip-right" / "preview.svg").exists()


def test_the_preview_shows_a_slice_that_was_measured(part):
    hip = part.hips[Side.RIGHT]
    gone = round(float(hip.images.reference_series.image.grid.to_index(hip.anatomy.head.center)[0]))
    reference = replace(hip.images.reference_series, missing_slices=(gone,))
    hidden = replace(hip, images=replace(hip.images, series=(reference,)))
    shown = middle_picture(hidden, CONFIG.report)
    assert shown.number - 1 - hip.images.crop_start[0] in (gone - 1, gone + 1)
    assert not shown.missing
