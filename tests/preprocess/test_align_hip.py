"""Bringing the series of one hip together around its head, on analytic hips."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tests.segmentation.hips import Hip, grid_of, picture
from tests.segmentation.studies import make_aligned
from toh_mri.core.config.preprocess import PreprocessConfig
from toh_mri.core.hip import HipLocation
from toh_mri.geometry import Sphere
from toh_mri.preprocess import crop_hip
from toh_mri.preprocess.align_hip import align_hip

HIP = Hip()
HEAD = Sphere((HIP.center[0] + 1.0, HIP.center[1] - 1.0, HIP.center[2] + 1.0), HIP.radius_mm)


@cache
def images(first="STIR edema", second="T1 edema"):
    names = {f"COR_{contrast.split()[0]}": contrast for contrast in (first, second)}
    study = make_aligned({name: picture([HIP], grid_of(HIP), c, seed=n) for n, (name, c) in enumerate(names.items())})
    return crop_hip(study, HipLocation(HIP.side, HEAD, 0.7, 0.9, 3), PreprocessConfig())


def moved(hip, shift=(0.0, 0.0, 0.0), degrees=(0.0, 0.0, 0.0)):
    """Return the hip with its second series displaced: turned about the head, then shifted."""
    rigid = np.eye(4)
    rigid[:3, :3] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    rigid[:3, 3] = np.array(HIP.center) + shift - rigid[:3, :3] @ HIP.center
    first, second = hip.series
    return replace(hip, series=(first, replace(second, to_reference=rigid @ second.to_reference)))


def error_mm(hip):
    """Return where the head of the second series lies in the reference's space, against the truth."""
    rigid = hip.series[1].to_reference
    return np.linalg.norm(rigid[:3, :3] @ HIP.center + rigid[:3, 3] - HIP.center)


@pytest.mark.parametrize("shift", [(3.0, 0.0, -2.0), (-1.5, 4.0, 1.5), (0.0, -3.0, 5.0)], ids=str)
def test_a_leg_that_moved_between_the_series_is_found_again(shift):
    displaced = moved(images(), shift)
    aligned = align_hip(displaced, HEAD)
    assert error_mm(displaced) > 3.5
    assert error_mm(aligned) < 1.2
    note = aligned.series[1].alignment
    assert note.applied
    assert note.shift_mm == pytest.approx(np.linalg.norm(shift), abs=1.2)
    assert note.similarity_after > note.similarity_before


def test_a_turned_leg_is_turned_back():
    displaced = moved(images("STIR edema", "T1 normal"), (2.0, 0.0, 2.0), (0.0, 5.0, 0.0))
    aligned = align_hip(displaced, HEAD)
    left = Rotation.from_matrix(aligned.series[1].to_reference[:3, :3]).magnitude()
    assert np.degrees(left) < 2.5
    assert error_mm(aligned) < 1.2


def test_samples_and_the_reference_stay_as_they_are():
    displaced = moved(images(), (4.0, 0.0, 0.0))
    aligned = align_hip(displaced, HEAD)
    assert aligned.series[0] is displaced.series[0]
    assert aligned.series[1].image is displaced.series[1].image
    rotation = aligned.series[1].to_reference[:3, :3]
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)


def test_the_result_is_the_same_every_time():
    one, other = (align_hip(moved(images(), (3.0, 1.0, 0.0)), HEAD) for _ in range(2))
    np.testing.assert_array_equal(one.series[1].to_reference, other.series[1].to_reference)


def test_what_shows_nothing_is_left_where_it_was():
    first, second = images().series
    empty = second.image.with_array(np.full(second.image.grid.shape, 7, np.float32))
    blind = replace(images(), series=(first, replace(second, image=empty)))
    assert align_hip(blind, HEAD) is blind


@pytest.mark.parametrize("role", [None, "SAG_T1"])
def test_a_series_that_is_not_traced_with_the_reference_is_left_alone(role):
    first, second = moved(images(), (4.0, 0.0, 0.0)).series
    if role is None:
        other = replace(second, info=second.info.model_copy(update={"role": None}))
    else:
        turned = np.eye(4)
        turned[:3, :3] = Rotation.from_euler("z", 90, degrees=True).as_matrix()
        turned[:3, 3] = HIP.center - turned[:3, :3] @ HIP.center
        other = replace(second, to_reference=turned @ second.to_reference)
    hip = replace(images(), series=(first, other))
    assert align_hip(hip, HEAD) is hip


def test_a_single_slice_is_not_registered():
    first, second = images().series
    flat = tuple(replace(s, image=s.image.crop((9, 0, 0), (10, *s.image.grid.shape[1:]))) for s in (first, second))
    hip = replace(images(), series=flat)
    assert align_hip(hip, HEAD) is hip
