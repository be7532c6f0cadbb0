from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toh_mri.core.study import SlicePlane
from toh_mri.geometry import Grid
from toh_mri.report.view import View, direction_letters

HANGING = {
    SlicePlane.CORONAL: ("R", "L", "S", "I"),
    SlicePlane.AXIAL: ("R", "L", "A", "P"),
    SlicePlane.SAGITTAL: ("A", "P", "S", "I"),
}
NORMAL_AXIS = {0: SlicePlane.SAGITTAL, 1: SlicePlane.CORONAL, 2: SlicePlane.AXIAL}


def grid(axes, signs, shape=(3, 5, 7), spacing=(4.0, 0.5, 0.8)):
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, list(axes)] * signs * spacing
    return Grid(shape, affine)


@pytest.mark.parametrize("axes", list(permutations(range(3))))
@pytest.mark.parametrize("signs", list(product((1, -1), repeat=3)))
def test_every_storage_order_is_hung_the_radiological_way(axes, signs):
    stored = grid(axes, signs)
    view = View.of(stored)
    assert view.plane is NORMAL_AXIS[axes[0]]
    assert view.letters == HANGING[view.plane]
    # The world, carried by the pixels, grows in the direction the letters promise.
    world = view.arrange(stored.voxel_centres()[1])
    across, down = world[0, 1] - world[0, 0], world[1, 0] - world[0, 0]
    assert (direction_letters(across), direction_letters(down)) == (view.letters[1], view.letters[3])
    np.testing.assert_allclose(view.pixel_mm, (np.linalg.norm(down), np.linalg.norm(across)))


@given(st.sampled_from(list(permutations(range(3)))), st.tuples(*[st.sampled_from((1, -1))] * 3), st.data())
def test_points_land_on_the_pixels_that_hold_them(axes, signs, data):
    stored = grid(axes, signs)
    view = View.of(stored)
    row, column = data.draw(st.integers(0, 4)), data.draw(st.integers(0, 6))
    plane = np.zeros((5, 7), bool)
    plane[row, column] = True
    place = view.place((row, column), (5, 7))
    np.testing.assert_array_equal(np.argwhere(view.arrange(plane))[0], place)


@pytest.mark.parametrize(
    ("direction", "letters"),
    [
        ((1, 0, 0), "L"),
        ((-1, 0, 0), "R"),
        ((0, -1, 0), "A"),
        ((0, 0, -1), "I"),
        ((0.8, 0.6, 0), "LP"),
        ((0.98, 0.2, 0), "L"),
    ],
)
def test_letters_name_patient_directions(direction, letters):
    assert direction_letters(direction) == letters
