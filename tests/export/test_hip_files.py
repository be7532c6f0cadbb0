import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.export.handmade import CROP_START, FULL_SHAPE, coronal_grid, hip_record, hip_result
from toh_mri.core.hip import HipImages, HipLocation
from toh_mri.export.hip_files import on_full_grid, write_hip
from toh_mri.geometry import Grid, Image, Side, Sphere
from toh_mri.io import read_nifti


@st.composite
def crops(draw):
    shape = draw(st.tuples(*[st.integers(2, 7)] * 3))
    start = tuple(draw(st.integers(0, n - 1)) for n in shape)
    stop = tuple(draw(st.integers(a + 1, n)) for a, n in zip(start, shape, strict=True))
    q, _ = np.linalg.qr(np.random.default_rng(draw(st.integers(0, 99))).normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = q * draw(st.tuples(*[st.floats(0.3, 5)] * 3))
    affine[:3, 3] = draw(st.tuples(*[st.floats(-200, 200)] * 3))
    return Grid(shape, affine), start, stop


@given(crops())
def test_a_crop_comes_back_to_where_it_was_cut(case):
    grid, start, stop = case
    whole = Image(np.arange(1, np.prod(grid.shape) + 1, dtype=np.uint16).reshape(grid.shape) % 251, grid)
    crop = whole.crop(start, stop)
    images = HipImages(HipLocation(Side.LEFT, Sphere((0, 0, 0), 20), 1, 1, 3), "A", (), grid.shape, start, ())
    back = on_full_grid(crop, images)
    assert back.grid.matches(grid, tolerance_mm=1e-6)
    box = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    np.testing.assert_array_equal(back.array[box], whole.array[box])
    outside = np.ones(grid.shape, bool)
    outside[box] = False
    assert not back.array[outside].any()


def test_label_images_lie_on_the_whole_reference_grid(tmp_path):
    result = hip_result()
    write_hip(tmp_path, result, hip_record())
    labels = read_nifti(tmp_path / "anatomy.nii.gz")
    assert labels.grid.shape == FULL_SHAPE
    assert labels.grid.matches(coronal_grid())
    centre = np.argwhere(labels.array == 1).mean(axis=0)
    np.testing.assert_allclose(labels.grid.to_world(centre), result.anatomy.head.center, atol=0.6)


def test_looked_for_and_not_found_is_an_empty_image_not_looked_for_is_no_file(tmp_path):
    write_hip(tmp_path, hip_result(), hip_record())
    assert read_nifti(tmp_path / "edema.nii.gz").array.any()
    assert not read_nifti(tmp_path / "band.nii.gz").array.any()
    assert not (tmp_path / "effusion.nii.gz").exists()
    content = json.loads((tmp_path / "findings.json").read_text())
    assert content["not_looked_for"] == {"effusion": "not_looked_for"}
    assert content["findings"][0]["id"] == "band-1"
    assert CROP_START[0] <= content["findings"][0]["slices"][0] < FULL_SHAPE[0]
