from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.geometry.grids import grids, rigid_transforms
from toh_mri.core.errors import SegmentationError
from toh_mri.core.study import Acquisition, SeriesInfo
from toh_mri.geometry import Grid, Image
from toh_mri.segmentation.evidence import isotropic_grid, prepare, resample

CORNERS = np.indices((2, 2, 2)).reshape(3, 8).T
VOLUME = Grid((8, 50, 60), np.diag([4.0, 0.9, 0.8, 1.0]))
INFO = SeriesInfo(
    name="COR_T1", role=None, acquisition=Acquisition(), shape=VOLUME.shape, spacing_mm=VOLUME.spacing_mm, files=8
)


def corners(grid):
    return grid.to_world(CORNERS * (np.array(grid.shape) - 1))


def slab(first, rigid, *, shape=(30, 40), spacing=(5.0, 0.7, 0.5)):
    """A single slice in the plane z = `first`, moved by `rigid`."""
    return Grid((1, *shape), rigid @ _shifted(np.diag([*spacing, 1.0]), first))


def _shifted(affine, first):
    affine[0, 3] = first
    return affine


def signal(grid, seed=1):
    """Blobs of some voxels' size on a slope, about 100 .. 900."""
    k, j, i = np.indices(grid.shape)
    noise = np.random.default_rng(seed).normal(0, 20, grid.shape)
    return (500 + 250 * np.sin(j / 5 + k) * np.cos(i / 6) + 2 * i + noise).astype(np.float32)


def volumes():
    return grids().filter(lambda grid: grid.shape[0] > 1)


@settings(deadline=None, max_examples=60)
@given(given_grids=st.lists(volumes(), min_size=1, max_size=3), step=st.floats(0.5, 3))
def test_the_grid_of_volumes_covers_all_corners_along_the_patients_axes(given_grids, step):
    found = isotropic_grid(given_grids, step)
    assert found.spacing_mm == pytest.approx((step, step, step))
    np.testing.assert_allclose(found.directions, np.eye(3)[::-1], atol=1e-12)
    for grid in given_grids:
        assert found.contains(corners(grid), margin_mm=-1e-6).all()
    needed = np.ptp(np.concatenate([corners(grid) for grid in given_grids]), axis=0)[::-1]
    assert (np.array(found.extent_mm) <= needed + step + 1e-6).all()  # and no more than that


@settings(deadline=None, max_examples=40)
@given(rigid=rigid_transforms(), step=st.floats(0.4, 2), columns=st.integers(2, 60))
def test_single_slices_keep_one_slice_in_their_plane(rigid, step, columns):
    first, second = slab(3.0, rigid), slab(3.0, rigid, shape=(50, columns), spacing=(5.0, 0.4, 0.9))
    found = isotropic_grid([first, second], step)
    assert found.shape[0] == 1
    assert found.spacing_mm == pytest.approx((5.0, step, step))
    for grid in (first, second):
        index = found.to_index(corners(grid))
        np.testing.assert_allclose(index[:, 0], 0, atol=1e-6)
        assert found.contains(corners(grid), margin_mm=-1e-6).all()


def test_slices_and_volumes_do_not_mix():
    flat = slab(0.0, np.eye(4))
    with pytest.raises(SegmentationError) as error:
        isotropic_grid([VOLUME, flat], 1.0)
    assert error.value.code == "mixed_dimensions"


@pytest.mark.parametrize("other", ["further", "tilted"])
def test_slices_of_different_planes_do_not_mix(other):
    rigid = np.eye(4)
    if other == "tilted":
        rigid[:2, :2] = [[0, -1], [1, 0]]
    with pytest.raises(SegmentationError) as error:
        isotropic_grid([slab(0.0, np.eye(4)), slab(0.0 if other == "tilted" else 12.0, rigid)], 1.0)
    assert error.value.code == "mixed_dimensions"


@pytest.mark.parametrize("grid", [VOLUME, slab(0.0, np.eye(4))], ids=["volume", "slice"])
@pytest.mark.parametrize(("gain", "offset"), [(3.7, 0.0), (0.01, 0.0), (1.0, 300.0), (0.5, -80.0)])
def test_gain_and_offset_of_the_signal_do_not_matter(grid, gain, offset):
    target = isotropic_grid([grid], 1.5)
    plain = prepare(INFO, Image(signal(grid), grid), target, fat_is_bright=True)
    changed = prepare(INFO, Image(gain * signal(grid) + np.float32(offset), grid), target, fat_is_bright=True)
    inside = np.isfinite(plain.image.array)
    assert inside.mean() > 0.8
    assert plain.image.array[inside].std() > 0.5
    np.testing.assert_allclose(changed.image.array, plain.image.array, atol=5e-3)


def test_contrast_is_nearly_alike_in_bright_and_dim_parts():
    """A coil's sensitivity that falls by half over 50 mm takes far less of the contrast."""
    fade = np.linspace(1, 0.5, VOLUME.shape[2], dtype=np.float32)
    target = isotropic_grid([VOLUME], 1.5)
    plain = prepare(INFO, Image(signal(VOLUME), VOLUME), target, fat_is_bright=True).image.array
    faded = prepare(INFO, Image(signal(VOLUME) * fade, VOLUME), target, fat_is_bright=True).image.array
    inside = np.isfinite(plain)
    dim = inside & (np.indices(plain.shape)[2] > 0.7 * plain.shape[2])
    assert faded[dim].std() > 0.85 * plain[dim].std()


def test_nothing_is_known_outside_the_field_of_view():
    far = Grid((8, 50, 60), VOLUME.transformed(_shifted(np.eye(4), 40.0)).affine)
    target = isotropic_grid([VOLUME, far], 1.5)
    found = prepare(INFO, Image(signal(VOLUME), VOLUME), target, fat_is_bright=False)
    index = VOLUME.to_index(target.voxel_centres())
    last = np.array(VOLUME.shape) - 1
    known = np.isfinite(found.image.array)
    assert known[((index > 1e-6) & (index < last - 1e-6)).all(axis=-1)].all()
    assert not known[((index < -1e-6) | (index > last + 1e-6)).any(axis=-1)].any()
    assert (found.name, found.fat_is_bright) == ("COR_T1", False)
    assert found.image.array.dtype == np.float32


def test_a_series_beside_the_search_grid_gives_no_evidence():
    far = VOLUME.transformed(_shifted(np.eye(4), 500.0))
    found = prepare(INFO, Image(signal(far), far), isotropic_grid([VOLUME], 2.0), fat_is_bright=True)
    assert np.isnan(found.image.array).all()


def test_a_single_slice_is_seen_at_its_neighbours_place_within_the_slice_distance():
    first, second = slab(0.0, np.eye(4)), slab(3.0, np.eye(4))
    target = isotropic_grid([first, second], 1.0)
    found = prepare(INFO, Image(signal(second), second), target, fat_is_bright=True).image.array
    expected = prepare(INFO, Image(signal(second), first), target, fat_is_bright=True).image.array
    assert np.isfinite(found).mean() > 0.9
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mirrored_picture_gives_mirrored_evidence(axis):
    grid = Grid((12, 30, 36), np.diag([1.5, 1.5, 1.5, 1.0]))
    picture = signal(grid) * np.linspace(1, 0.3, 36, dtype=np.float32)
    plain = prepare(INFO, Image(picture, grid), grid, fat_is_bright=True).image.array
    flipped = prepare(INFO, Image(np.flip(picture, axis), grid), grid, fat_is_bright=True).image.array
    np.testing.assert_allclose(np.flip(flipped, axis), plain, atol=1e-3)


def test_every_order_and_direction_of_the_arrays_axes_gives_the_same_evidence():
    """48 ways to store one picture; sides cannot depend on which was used."""
    target = isotropic_grid([VOLUME], 2.0)
    plain = prepare(INFO, Image(signal(VOLUME), VOLUME), target, fat_is_bright=True).image.array
    for order, turned in product(permutations(range(3)), product([False, True], repeat=3)):
        index = np.eye(4)[:, [*order, 3]]
        array = signal(VOLUME).transpose(order)
        for axis in np.flatnonzero(turned):
            index[:, 3] += index[:, axis] * (array.shape[axis] - 1)
            index[:, axis] *= -1
            array = np.flip(array, axis)
        stored = Grid(array.shape, VOLUME.affine @ index)
        again = isotropic_grid([stored], 2.0)
        assert again.matches(target)
        found = prepare(INFO, Image(array, stored), again, fat_is_bright=True).image.array
        inside = np.isfinite(plain) & np.isfinite(found)  # the outermost samples may fall off by rounding
        assert inside.sum() >= np.isfinite(plain).sum() - 2 * plain[0].size
        np.testing.assert_allclose(found[inside], plain[inside], atol=2e-3)


def test_holes_stay_holes_and_spoil_nothing_far_from_them():
    holed = signal(VOLUME)
    holed[3, 20:25, 20:25] = np.nan
    target = isotropic_grid([VOLUME], 1.5)
    found = prepare(INFO, Image(holed, VOLUME), target, fat_is_bright=True).image
    hole = VOLUME.to_world([3, 22, 22])
    assert np.isnan(found.sample(hole))
    far = np.linalg.norm(target.voxel_centres() - hole, axis=-1) > 15
    inside = np.isfinite(prepare(INFO, Image(signal(VOLUME), VOLUME), target, fat_is_bright=True).image.array)
    assert np.isfinite(found.array[far & inside]).all()


def test_a_constant_picture_has_no_contrast():
    target = isotropic_grid([VOLUME], 2.0)
    flat = Image(np.full(VOLUME.shape, 700, np.float32), VOLUME)
    found = prepare(INFO, flat, target, fat_is_bright=True).image.array
    blobs = prepare(INFO, Image(signal(VOLUME), VOLUME), target, fat_is_bright=True).image.array
    assert np.nanstd(found) < 1e-3 * np.nanstd(blobs)


@settings(deadline=None, max_examples=30)
@given(rigid=rigid_transforms(), slope=st.tuples(*[st.floats(-2, 2)] * 3))
def test_a_slope_is_resampled_exactly_onto_a_finer_grid(rigid, slope):
    coarse = Grid((6, 10, 12), rigid @ np.diag([4.0, 3.6, 3.2, 1.0]))
    target = isotropic_grid([coarse], 1.5)
    start = coarse.to_world([0, 0, 0])
    ramp = ((coarse.voxel_centres() - start) @ slope).astype(np.float32)
    found = resample(Image(ramp, coarse), target)
    expected = (target.voxel_centres() - start) @ slope
    seen = np.isfinite(found)
    assert seen.any()
    np.testing.assert_allclose(found[seen], expected[seen], atol=0.02)
