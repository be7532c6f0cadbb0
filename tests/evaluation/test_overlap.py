"""Dice and surface distances, against what can be counted by hand and by brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from toh_mri.evaluation.overlap import brought_to, dice, surface_distance
from toh_mri.geometry import Grid

SPACING = (4.0, 0.5, 0.7)
masks = hnp.arrays(bool, (4, 5, 6))


def brute_surface(mask, spacing):
    """Voxels with a face towards a voxel that is not in the mask, or towards the edge of the array, in mm."""
    points = []
    for voxel in np.argwhere(mask):
        for axis in range(3):
            for step in (-1, 1):
                other = voxel.copy()
                other[axis] += step
                outside = (other < 0).any() or (other >= mask.shape).any()
                if outside or not mask[tuple(other)]:
                    points.append(tuple(voxel))
    return np.array(sorted(set(points))) * spacing


@settings(max_examples=60, deadline=None)
@given(masks, masks)
def test_surface_distances_are_those_of_all_pairs_of_surface_voxels(a, b):
    made = surface_distance(a, b, SPACING)
    if not a.any() or not b.any():
        assert made is None
        return
    between = cdist(brute_surface(a, SPACING), brute_surface(b, SPACING))
    from_a, from_b = between.min(axis=1), between.min(axis=0)
    assert made.mean_mm == pytest.approx(np.concatenate([from_a, from_b]).mean())
    assert made.hausdorff95_mm == pytest.approx(max(np.percentile(from_a, 95), np.percentile(from_b, 95)))


@settings(max_examples=60, deadline=None)
@given(masks, masks)
def test_dice_is_twice_the_common_part_over_both_and_the_same_either_way(a, b):
    total = a.sum() + b.sum()
    expected = None if total == 0 else pytest.approx(2 * (a & b).sum() / total)
    assert dice(a, b) == expected
    assert dice(b, a) == expected


def test_spacing_counts():
    a = np.zeros((6, 9, 9), bool)
    a[2, 2:5, 2:5] = True
    made = surface_distance(a, np.roll(a, 1, axis=0), SPACING)
    assert made.mean_mm == made.hausdorff95_mm == pytest.approx(SPACING[0])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_a_mask_is_brought_to_another_grid_by_nearest_voxel_centre(seed, mirrored):
    rng = np.random.default_rng(seed)
    source = Grid((5, 8, 7), np.diag([3.0, 1.0, 1.2, 1.0]))
    affine = np.eye(4)
    affine[:3, :3] = Rotation.random(random_state=rng).as_matrix() * (2.0, 0.9, 0.8)
    affine[:3, 0] *= -1 if mirrored else 1
    affine[:3, 3] = rng.uniform(-2, 8, 3)
    target = Grid((6, 9, 9), affine)
    array = rng.integers(0, 5, source.shape).astype(np.uint8)
    expected = np.zeros(target.shape, np.uint8)
    for voxel in np.ndindex(target.shape):
        index = np.rint(source.to_index(target.to_world(voxel))).astype(int)
        if (index >= 0).all() and (index < source.shape).all():
            expected[voxel] = array[tuple(index)]
    np.testing.assert_array_equal(brought_to(array, source, target), expected)


def test_reversed_slices_and_a_crop_lose_nothing():
    source = Grid((5, 8, 7), np.diag([3.3, 0.7, 0.7, 1.0]))
    array = np.random.default_rng(1).integers(0, 5, source.shape).astype(np.uint8)
    affine = source.affine.copy()
    affine[:3, 0] *= -1
    affine[:3, 3] = source.to_world((4, 0, 0))
    np.testing.assert_array_equal(brought_to(array, source, Grid(source.shape, affine)), array[::-1])
    crop = source.crop((1, 2, 0), (4, 8, 7))
    np.testing.assert_array_equal(brought_to(array, source, crop), array[1:4, 2:])
    back = brought_to(array[1:4, 2:], crop, source)
    np.testing.assert_array_equal(back[1:4, 2:], array[1:4, 2:])
    assert not back[0].any()
