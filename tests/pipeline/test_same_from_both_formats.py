"""One study read from two formats lies some 1e-5 mm apart: decimal text in DICOM, float32 in NIfTI.

Points that lie half-way between voxels, or on an edge, by design must not fall to the other side for that.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toh_mri as tm
from tests.geometry.grids import grids
from tests.segmentation.studies import make_study
from toh_mri.core.config.preprocess import PreprocessConfig
from toh_mri.geometry import Grid, Image
from toh_mri.preprocess import align_study
from toh_mri.segmentation.evidence import isotropic_grid, resample

MOVE_MM = 5e-6


def moved(image, seed):
    """Move an image and stretch it, so that no voxel of it goes further than about `MOVE_MM`."""
    random = np.random.default_rng(seed)
    affine = np.array(image.grid.affine)
    affine[:3, :3] *= 1 + random.uniform(-1, 1, 3) * MOVE_MM / max(image.grid.extent_mm)
    affine[:3, 3] += random.uniform(-MOVE_MM, MOVE_MM, 3)
    return Image(image.array, Grid(image.grid.shape, affine))


def grid_of(shape, spacing, origin=(0.0, 0.0, 0.0)):
    """Coronal slices: slices to the back, rows to the feet, columns to the left."""
    affine = np.eye(4)
    affine[:3, :3] = np.array([[0, 0, 1], [1, 0, 0], [0, -1, 0]]) * np.array(spacing)
    affine[:3, 3] = origin
    return Grid(shape, affine)


@pytest.fixture(scope="module")
def study(sample_data):
    return tm.load_study(sample_data / "on_left", tm.Config().with_overrides(["io.salt=test"]))


def test_a_study_moved_within_the_precision_of_formats_gives_the_same_masks_and_record(study):
    one = tm.analyze_study(study)
    series = tuple(replace(item, image=moved(item.image, seed)) for seed, item in enumerate(study.series))
    other = tm.analyze_study(replace(study, series=series))
    assert one.hips.keys() == other.hips.keys()
    for side, hip in one.hips.items():
        again = other.hips[side]
        assert hip.images.crop_start == again.images.crop_start
        assert np.array_equal(hip.anatomy.labels.array, again.anatomy.labels.array)
        assert np.array_equal(hip.anatomy.marrow.array, again.anatomy.marrow.array)
        assert hip.findings.masks.keys() == again.findings.masks.keys()
        for name, mask in hip.findings.masks.items():
            assert np.array_equal(mask.array, again.findings.masks[name].array), name
        assert hip.classification.pattern == again.classification.pattern
        mine, theirs = hip.measurements.values, again.measurements.values
        assert mine.keys() == theirs.keys()
        for name, value in mine.items():
            assert theirs[name] == pytest.approx(value, rel=1e-4, abs=1e-3), name


@given(grid=grids(), seed=st.integers(0, 99), halves=st.tuples(*[st.integers(0, 8)] * 3))
def test_a_point_half_way_between_voxels_keeps_its_voxel(grid, seed, halves):
    point = grid.to_world(np.array(halves) / 2)
    index = moved(Image(np.zeros(grid.shape, np.uint8), grid), seed).grid.nearest(point)
    assert index.tolist() == [half // 2 for half in halves]


@pytest.mark.parametrize("seed", range(4))
def test_a_grid_prescribed_twice_is_searched_on_one_grid_and_keeps_its_outermost_slices(seed):
    """Slices 4 mm apart, pixels of 1 mm: the field of view is a whole number of steps."""
    array = np.random.default_rng(0).normal(100, 10, (9, 40, 50)).astype(np.float32)
    image = Image(array, grid_of(array.shape, (4.0, 1.0, 1.0)))
    other = moved(image, seed)
    target, again = isotropic_grid([image.grid], 1.0), isotropic_grid([other.grid], 1.0)
    assert target.shape == again.shape == (40, 33, 50)
    here, there = resample(image, target), resample(other, again)
    assert np.isfinite(here).all()
    assert np.allclose(here, there, atol=1e-2)


@pytest.mark.parametrize("seed", range(3))
def test_a_box_round_a_ball_that_ends_on_a_voxel_stays(seed):
    grid = grid_of((30, 200, 200), (4.0, 0.5, 0.5))
    center = grid.to_world([15, 100, 100])
    again = moved(Image(np.zeros(grid.shape, np.uint8), grid), seed).grid
    assert again.box_around(center, 40.0) == grid.box_around(center, 40.0) == ((5, 20, 20), (26, 181, 181))


@pytest.mark.parametrize("spacing", [0.390625, 0.46875, 0.3515625, 0.7, 2 / 3, 200 / 288, 0.8, 4.0, 3.3])
def test_usual_spacings_have_one_nominal_value_in_either_format(spacing):
    values = (spacing, float(np.float32(spacing)), round(spacing, 6), float(f"{spacing:.8g}"))
    nominal = {grid_of((5, 5, 5), (value,) * 3).nominal_spacing_mm for value in values}
    assert len(nominal) == 1
    assert next(iter(nominal))[0] == pytest.approx(spacing, abs=4e-5)


@pytest.mark.parametrize("shift_mm", [0.0, 0.6])
def test_series_of_one_prescription_are_registered_alike(shift_mm):
    """Noisy T1 and STIR on one grid, or half a pixel apart: the path of the search must not hang on 1e-6 mm."""
    z, y, x = np.indices((8, 60, 60)).astype(np.float32)
    body = np.sin(x / 5) * np.cos(y / 7) + 0.4 * np.sin(z + x / 9)
    random = np.random.default_rng(1)
    images = {}
    for name, sign, shift in (("COR_STIR", -1, 0.0), ("COR_T1", 1, shift_mm)):
        signal = (1000 + 300 * sign * body + random.normal(0, 60, body.shape)).astype(np.float32)
        images[name] = Image(signal, grid_of(body.shape, (4.0, 1.2, 1.2), (shift, 0.0, shift)))
    again = make_study({name: moved(image, seed) for seed, (name, image) in enumerate(images.items())})
    one, other = (align_study(item, PreprocessConfig()) for item in (make_study(images), again))
    for a, b in zip(one.series, other.series, strict=True):
        assert a.alignment.applied == b.alignment.applied
        assert a.to_frame == pytest.approx(b.to_frame, abs=1e-6)
