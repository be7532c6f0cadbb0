"""Alignment of series, on an analytic hip that moved."""

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - the alias of its own documentation
from scipy.spatial.transform import Rotation

from tests.segmentation.hips import Hip, coronal_grid, grid_of, picture
from tests.segmentation.studies import make_study
from toh_mri.core.config.preprocess import PreprocessConfig
from toh_mri.geometry import Grid, Image
from toh_mri.preprocess import align_study

HIP = Hip()
GRID = grid_of(HIP)


def rigid(shift, degrees=(0, 0, 0)):
    """A movement of the patient about the head's centre."""
    move = np.eye(4)
    move[:3, :3] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    move[:3, 3] = np.add(HIP.center, shift) - move[:3, :3] @ HIP.center
    return move


def study_with(moved_by):
    """A STIR series, and a T1 series taken after the patient moved: its samples lie elsewhere in the scanner."""
    stir = picture([HIP], GRID, "STIR edema", seed=1)
    t1 = picture([HIP], GRID, "T1 edema", seed=2)
    return make_study({"COR_STIR": stir, "COR_T1": Image(t1.array, GRID.transformed(moved_by))})


def aligned(study, **settings):
    result = align_study(study, PreprocessConfig(**settings))
    return result, {item.series.name: item for item in result.series}


@pytest.mark.parametrize(
    ("shift", "degrees"), [((2.0, -1.5, 1.0), (0, 0, 0)), ((-1.0, 0.5, -2.5), (2, -1, 2)), ((0, 0, 0), (0, 3, 0))]
)
def test_a_movement_is_undone(shift, degrees):
    moved_by = rigid(shift, degrees)
    result, series = aligned(study_with(moved_by))
    assert result.anchor == "COR_STIR"
    np.testing.assert_array_equal(series["COR_STIR"].to_frame, np.eye(4))
    # Where the head's centre lies in the moved series, taken back into the frame.
    moved = moved_by @ [*HIP.center, 1.0]
    back = series["COR_T1"].to_frame @ moved
    assert np.linalg.norm(back[:3] - HIP.center) < 0.7
    assert series["COR_T1"].alignment.applied
    assert series["COR_T1"].alignment.similarity_after > series["COR_T1"].alignment.similarity_before


def test_samples_are_left_as_they_are():
    study = study_with(rigid((2.0, 0, 0)))
    result, _ = aligned(study)
    for before, after in zip(study.series, result.series, strict=True):
        assert after.series is before


def test_the_same_study_gives_the_same_transform_to_the_last_bit():
    study = study_with(rigid((1.5, -1.0, 1.0), (1, 1, 0)))
    one, other = aligned(study)[1]["COR_T1"], aligned(study)[1]["COR_T1"]
    assert one.to_frame.tobytes() == other.to_frame.tobytes()
    assert one.alignment == other.alignment


def test_a_movement_larger_than_patients_move_is_not_applied():
    _, series = aligned(study_with(rigid((6.0, 0, 0))), maximum_shift_mm=3.0)
    assert not series["COR_T1"].alignment.applied
    assert "more than is plausible" in series["COR_T1"].alignment.reason
    np.testing.assert_array_equal(series["COR_T1"].to_frame, np.eye(4))


def test_switched_off_the_scanner_is_believed():
    _, series = aligned(study_with(rigid((2.0, 0, 0))), align=False)
    np.testing.assert_array_equal(series["COR_T1"].to_frame, np.eye(4))
    assert "switched off" in series["COR_T1"].alignment.reason


def test_single_slices_and_distant_series_are_left_where_they_are():
    stir = picture([HIP], GRID, "STIR edema")
    away = Image(stir.array, GRID.transformed(rigid((400.0, 0, 0))))
    _, series = aligned(make_study({"COR_STIR": stir, "AX_T1": stir.crop((4, 0, 0), (5, 50, 50)), "COR_T1": away}))
    assert series["AX_T1"].alignment.reason == "single slices are not registered"
    assert series["COR_T1"].alignment.reason == "the fields of view hardly overlap"


def test_a_small_field_of_view_inside_a_large_one_overlaps():
    # The share of the smaller one counts: a bilateral T1 is registered to a one-sided STIR.
    small = coronal_grid(HIP.center, (100, 60, 100))
    large = coronal_grid(np.subtract(HIP.center, [60, 0, 0]), (300, 130, 260), pixel_mm=1.5)
    t1 = picture([HIP], large, "T1 normal", seed=2)
    study = make_study({"COR_STIR": picture([HIP], small, "STIR normal", seed=1), "COR_T1": t1})
    _, series = aligned(study)
    assert series["COR_T1"].alignment.method == "rigid, Mattes mutual information"


def test_other_work_of_the_process_keeps_its_threads():
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(2)
    try:
        aligned(study_with(np.eye(4)), align=False)
        assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == 2
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


@pytest.mark.parametrize(
    ("names", "anchor"),
    [
        (("COR_T1", "AX_STIR"), "AX_STIR"),
        (("AX_STIR", "COR_PDFS"), "COR_PDFS"),
        (("COR_PDFS", "COR_STIR", "COR_T2FS"), "COR_STIR"),
        (("SAG_T1", "COR_T1"), "COR_T1"),
    ],
)
def test_the_anchor_is_fluid_sensitive_then_coronal(names, anchor):
    flat = Image(np.zeros((4, 5, 5), np.float32), coronal_grid((0, 0, 0), (5, 16, 5), pixel_mm=1.0))
    result, _ = aligned(make_study(dict.fromkeys(names, flat)), align=False)
    assert result.anchor == anchor


def test_a_stack_is_the_anchor_before_a_single_slice():
    stir = picture([HIP], GRID, "STIR edema")
    single = stir.crop((4, 0, 0), (5, *GRID.shape[1:]))
    assert aligned(make_study({"COR_STIR": single, "COR_T1": stir}), align=False)[0].anchor == "COR_T1"


def test_pictures_without_contrast_are_left_where_they_are():
    flat = Image(np.full(GRID.shape, 5, np.float32), Grid(GRID.shape, GRID.affine))
    _, series = aligned(make_study({"COR_STIR": picture([HIP], GRID, "STIR edema"), "COR_T1": flat}))
    assert not series["COR_T1"].alignment.applied
