"""When a hip's series are brought together around its head, and when they are not."""

from dataclasses import replace

import numpy as np
import pytest

from tests.segmentation.hips import Hip, grid_of, picture
from tests.segmentation.studies import make_aligned
from toh_mri.core.config.preprocess import PreprocessConfig
from toh_mri.core.config.segmentation import SegmentationConfig
from toh_mri.core.errors import SegmentationError
from toh_mri.core.hip import HipLocation, Status
from toh_mri.geometry import Sphere
from toh_mri.pipeline.anatomy import segment_together
from toh_mri.preprocess import crop_hip
from toh_mri.segmentation import segment_hip

HIP = Hip()
CONFIG = SegmentationConfig()


@pytest.fixture(scope="module")
def images():
    made = {f"COR_{c.split()[0]}": picture([HIP], grid_of(HIP), c, seed=5) for c in ("STIR edema", "T1 normal")}
    location = HipLocation(HIP.side, Sphere(HIP.center, HIP.radius_mm - 1), 0.75, 0.9, 3)
    return crop_hip(make_aligned(made), location, PreprocessConfig())


def displaced(hip, mm):
    shift = np.eye(4)
    shift[:3, 3] = mm
    first, second = hip.series
    return replace(hip, series=(first, replace(second, to_reference=shift @ second.to_reference)))


def test_a_patient_who_lay_still_is_segmented_once(images):
    calls = []

    def segment(hip):
        calls.append(hip)
        return segment_hip(hip, CONFIG)

    used, anatomy = segment_together(images, segment)
    assert calls == [images]
    assert used is images
    assert "series_moved" not in [check.code for check in anatomy.checks]


def test_a_patient_who_moved_is_aligned_around_the_head_and_that_is_said(images):
    moved = displaced(images, (4.0, 0.0, -4.0))
    before = segment_hip(moved, CONFIG)
    used, after = segment_together(moved, lambda hip: segment_hip(hip, CONFIG))
    gap = used.series[1].to_reference @ [*HIP.center, 1.0] - [*HIP.center, 1.0]
    assert np.linalg.norm(gap[:3]) < 1.5
    assert after.confidence > before.confidence
    assert np.linalg.norm(np.subtract(after.head.center, HIP.center)) < 1.5
    checks = {check.code: check for check in after.checks}
    assert checks["series_moved"].status is Status.REVIEW
    assert checks["series_moved"].value == pytest.approx(5.7, abs=1.5)
    assert "COR_T1" in checks["series_moved"].message
    assert checks["series_disagree"].status is Status.OK


def test_an_alignment_that_does_not_raise_the_confidence_is_not_taken(images):
    moved = displaced(images, (4.0, 0.0, -4.0))
    known = segment_hip(moved, CONFIG)

    def segment(hip):
        return known if hip is moved else replace(known, confidence=known.confidence - 0.01)

    used, anatomy = segment_together(moved, segment)
    assert used is moved
    assert anatomy is known


def test_a_refusal_stands_where_alignment_changes_nothing(images):
    def segment(_):
        raise SegmentationError("implausible_head", "No head.")

    with pytest.raises(SegmentationError, match="No head") as refused:
        segment_together(displaced(images, (4.0, 0.0, -4.0)), segment)
    assert refused.value.code == "implausible_head"


def test_other_refusals_are_not_tried_again(images):
    calls = []

    def segment(hip):
        calls.append(hip)
        raise SegmentationError("no_usable_series", "Nothing.")

    with pytest.raises(SegmentationError, match="Nothing"):
        segment_together(images, segment)
    assert len(calls) == 1
