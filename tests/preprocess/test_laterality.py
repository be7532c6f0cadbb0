"""A laterality tag against the side on which the hip lies."""

from dataclasses import replace

import numpy as np
import pytest

from tests.preprocess.test_crop import HIP, image
from tests.segmentation.hips import coronal_grid
from tests.segmentation.studies import make_aligned
from toh_mri.core.hip import HipLocation, Status
from toh_mri.geometry import Side, Sphere
from toh_mri.preprocess import check_laterality

LEFT = HipLocation(Side.LEFT, Sphere(HIP.center, HIP.radius_mm), 0.8, 0.9, 3)
RIGHT = replace(LEFT, side=Side.RIGHT, sphere=Sphere(HIP.mirrored.center, HIP.radius_mm))
WIDE = coronal_grid(np.multiply(HIP.center, [0, 1, 1]), (400, 100, 200), pixel_mm=2.0)


def checked(tags, hips=(LEFT,), grid=None):
    """Return the check of every hip; `tags` maps the series of the study to their laterality."""
    aligned = make_aligned({name: image() if grid is None else image(grid) for name in tags})

    def tagged(item):
        info = item.series.info
        acquisition = info.acquisition.model_copy(update={"laterality": tags[info.name]})
        info = info.model_copy(update={"acquisition": acquisition})
        return replace(item, series=replace(item.series, info=info))

    study = replace(aligned, series=tuple(tagged(item) for item in aligned.series))
    located = check_laterality(study, hips)
    assert [hip.side for hip in located] == [hip.side for hip in hips], "coordinates stand"
    return [hip.checks[0] for hip in located]


@pytest.mark.parametrize("tag", [None, "L", "B"])
def test_a_tag_that_agrees_or_says_nothing_is_well(tag):
    (check,) = checked({"COR_STIR": tag})
    assert (check.code, check.status) == ("laterality_disagrees", Status.OK)


def test_a_tag_of_the_other_side_asks_for_a_look():
    (check,) = checked({"COR_STIR": "R"})
    assert (check.code, check.status) == ("laterality_disagrees", Status.REVIEW)
    assert "this is the left hip" in check.message
    assert "the laterality tag of COR_STIR says right" in check.message


def test_series_that_disagree_among_themselves_ask_for_a_look():
    (check,) = checked({"COR_STIR": "L", "COR_T1": "R"})
    assert check.status is Status.REVIEW
    assert "COR_T1 says right" in check.message
    assert "COR_STIR" not in check.message


def test_a_tag_on_a_series_that_shows_both_hips_contradicts_neither():
    assert [check.status for check in checked({"COR_STIR": "R"}, (RIGHT, LEFT), WIDE)] == [Status.OK, Status.OK]


def test_a_series_of_one_hip_is_no_matter_of_the_other_one():
    right, left = checked({"COR_STIR": "R"}, (RIGHT, LEFT))
    assert (right.status, left.status) == (Status.OK, Status.REVIEW)
