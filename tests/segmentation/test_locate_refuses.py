"""Pictures without a hip, or with one that cannot be measured, are refused by name."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from tests.segmentation.hips import SIGNAL, Hip, coronal_grid, grid_of, picture
from tests.segmentation.studies import make_aligned
from toh_mri.core.config.segmentation import SegmentationConfig
from toh_mri.core.errors import SegmentationError
from toh_mri.core.hip import Status
from toh_mri.geometry import Image, Side, Sphere
from toh_mri.segmentation import locate_hips
from toh_mri.segmentation.void import is_void

CONFIG = SegmentationConfig()
LEFT = Hip()
GRID = coronal_grid(LEFT.center, (140, 72, 140), pixel_mm=0.9)
CONTRASTS = ("T1 normal", "STIR edema")


def refusal(images):
    with pytest.raises(SegmentationError) as caught:
        locate_hips(make_aligned(images), CONFIG)
    return caught.value.code


def outcome(images):
    """The code of the refusal, or of the checks that ask for a look."""
    try:
        found = locate_hips(make_aligned(images), CONFIG)
    except SegmentationError as error:
        return {error.code}
    return {check.code for location in found for check in location.checks if check.status is not Status.OK}


def tissue(paint, grid=GRID):
    """T1 and STIR pictures of muscle with fat strands, with whatever `paint` puts there; noise as on the hips."""
    points = grid.voxel_centres() - LEFT.center
    images = {}
    for n, contrast in enumerate(CONTRASTS):
        muscle, fat, *_ = SIGNAL[contrast]
        rng = np.random.default_rng(n)
        strands = ndimage.gaussian_filter(np.random.default_rng(9).normal(size=grid.shape), (0.6, 2.8, 2.8))
        signal = np.where(strands > 1.3 * strands.std(), fat, muscle).astype(float)
        paint(signal, points, contrast)
        signal = ndimage.gaussian_filter(signal, (0, 0.5, 0.5)) + rng.normal(0, 30, grid.shape)
        images[f"COR_{contrast.split()[0]}"] = Image(np.abs(signal).astype(np.float32), grid)
    return images


def bowel(signal, points, contrast):
    """Loops of bowel: balls of fluid in fat, walls a millimetre thick."""
    _, fat, _, _, wall, _, fluid = SIGNAL[contrast]
    signal[:] = fat
    for centre, radius in (((0, 0, 0), 21), ((38, 5, 20), 18), ((-35, -4, -25), 24), ((10, 8, 45), 19)):
        r = np.linalg.norm(points - centre, axis=-1)
        signal[r < radius + 1] = wall
        signal[r < radius] = fluid


def eyes(signal, points, contrast):
    """A globe of fluid in orbital fat, in a shell of bone."""
    _, fat, marrow, _, bone, _, fluid = SIGNAL[contrast]
    for x in (-32, 32):
        r = np.linalg.norm(points - (x, 0, 0), axis=-1)
        for radius, value in ((26, marrow), (22, bone), (20, fat), (12.5, fluid)):
            signal[r < radius] = value


def knee(signal, points, contrast):
    """Two condyles on a shaft over a flat plateau."""
    _, _, marrow, _, bone, cartilage, _ = SIGNAL[contrast]
    x, _, z = np.moveaxis(points, -1, 0)
    condyles = [np.linalg.norm(points - (c, 0, 0), axis=-1) for c in (-22, 22)]
    femur = np.minimum(np.minimum(*condyles) - 21, np.where(z > 0, np.linalg.norm(points[..., :2], axis=-1) - 22, 99))
    signal[femur < 3] = cartilage
    signal[femur < 0] = bone
    signal[femur < -1.5] = marrow
    signal[(z < -25) & (np.abs(x) < 42)] = bone
    signal[(z < -27) & (np.abs(x) < 40)] = marrow


def nothing(signal, points, contrast):
    """Muscle and fat alone."""


@pytest.mark.parametrize("paint", [bowel, eyes, knee, nothing])
@pytest.mark.parametrize("names", [("COR_T1", "COR_STIR"), ("COR_T1",), ("COR_STIR",)], ids="+".join)
def test_what_is_round_but_no_hip_is_refused_or_doubted(paint, names):
    images = tissue(paint)
    told = outcome({name: images[name] for name in names})
    # Several loops of bowel may, together, look a little like a joint.
    assert told & ({"no_hip_found", "immature_hip"} | ({"location_score"} if paint is bowel else set()))


@pytest.mark.parametrize("smooth_mm", [0.5, 3.0, 8.0])
def test_noise_is_refused(smooth_mm):
    rng = np.random.default_rng(int(10 * smooth_mm))
    sigma = smooth_mm / np.array(GRID.spacing_mm)
    values = ndimage.gaussian_filter(rng.normal(size=GRID.shape), sigma)
    assert refusal({"COR_T1": Image((500 + 200 * values / values.std()).astype(np.float32), GRID)}) == "no_hip_found"


@pytest.mark.parametrize("rows", [slice(0, 36), slice(120, 156)], ids=["above the hip", "below the hip"])
def test_a_field_of_view_beside_the_hip_is_refused(rows):
    images = {}
    for contrast in CONTRASTS:
        whole = picture([LEFT], coronal_grid(LEFT.center, (140, 72, 140), pixel_mm=0.9), contrast)
        images[f"COR_{contrast.split()[0]}"] = whole.crop(
            (0, rows.start, 0), (whole.grid.shape[0], min(rows.stop, whole.grid.shape[1]), whole.grid.shape[2])
        )
    assert refusal(images) in {"no_hip_found", "immature_hip", "head_cut_off"}


def test_a_head_without_signal_is_metal():
    images = {}
    for contrast in CONTRASTS:
        image = picture([LEFT], GRID, contrast)
        r = np.linalg.norm(image.grid.voxel_centres() - LEFT.center, axis=-1)
        images[f"COR_{contrast.split()[0]}"] = Image(
            np.where(r < LEFT.radius_mm, 3, image.array).astype(np.float32), GRID
        )
    assert refusal(images) in {"metal_void", "no_hip_found"}


def test_a_void_of_all_series_is_told_from_one_dark_series():
    r = np.linalg.norm(GRID.voxel_centres() - LEFT.center, axis=-1)
    void, full = (Image(np.where(r < 23, value, 400).astype(np.float32), GRID) for value in (10, 300))
    sphere = Sphere(LEFT.center, 23.0)
    for other, expected in ((void, True), (full, False)):
        study = make_aligned({"COR_T1": void, "COR_STIR": other})
        assert is_void(list(study.series), sphere) is expected
    away = replace(sphere, center=(900.0, 0.0, 0.0))
    assert not is_void(list(study.series), away)


def test_a_head_at_the_edge_of_the_field_of_view_is_never_ok():
    grid = grid_of(LEFT)
    images = {}
    for contrast in CONTRASTS:
        image = picture([LEFT], grid, contrast)
        first = round(image.grid.to_index(LEFT.center)[0]) - 2
        images[f"COR_{contrast.split()[0]}"] = image.crop((first, 0, 0), image.grid.shape)
    assert outcome(images) & {"head_cut_off", "no_hip_found"}


@pytest.mark.parametrize("shift_mm", [-50.0, 50.0])
def test_a_table_moved_sideways_changes_no_side(shift_mm):
    right = Hip(Side.RIGHT, (-92.0, -6.0, 12.0), 22.0)
    grid = coronal_grid((0, -8, 5), (340, 64, 140), pixel_mm=1.2)
    move = np.eye(4)
    move[0, 3] = shift_mm
    images = {}
    for contrast in CONTRASTS:
        image = picture([right, LEFT], grid, contrast)
        images[f"COR_{contrast.split()[0]}"] = Image(image.array, image.grid.transformed(move))
    found = locate_hips(make_aligned(images), CONFIG)
    assert [location.side for location in found] == [Side.RIGHT, Side.LEFT]
    for location, hip in zip(found, (right, LEFT), strict=True):
        assert np.linalg.norm(np.subtract(location.sphere.center, hip.center) - move[:3, 3]) < 3


def test_a_second_series_of_one_hip_does_not_hide_the_other():
    right = Hip(Side.RIGHT, (-92.0, -6.0, 12.0), 22.0)
    grid = coronal_grid((0, -8, 5), (340, 64, 140), pixel_mm=1.2)
    t1 = picture([right, LEFT], grid, "T1 normal")
    stir = picture([LEFT], grid_of(LEFT), "STIR edema")
    found = locate_hips(make_aligned({"COR_T1": t1, "COR_STIR": stir}), CONFIG)
    assert [location.side for location in found] == [Side.RIGHT, Side.LEFT]
