"""Left is left: LPS x grows towards the patient's left."""

import pytest

from toh_mri.geometry import Side


def test_lateral_is_away_from_the_midline():
    assert Side.LEFT.lateral_x == 1.0
    assert Side.RIGHT.lateral_x == -1.0


@pytest.mark.parametrize("side", Side)
def test_the_other_side_is_the_other_side(side):
    assert side.other is not side
    assert side.other.other is side
    assert side.other.lateral_x == -side.lateral_x


def test_a_side_is_found_under_its_name():
    assert {Side.LEFT: 1}["left"] == 1
    assert Side("right") is Side.RIGHT
    assert f"hip-{Side.LEFT}" == "hip-left"
