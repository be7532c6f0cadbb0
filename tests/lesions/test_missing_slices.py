"""Nothing is measured in slices that the source lacks, whatever stands in them."""

from dataclasses import replace

import numpy as np
import pytest

from tests.lesions.hip import RADIUS, Recipe, build
from tests.lesions.test_lines import band
from toh_mri.core.config.lesions import LesionsConfig
from toh_mri.core.hip import Structure
from toh_mri.core.study import Contrast
from toh_mri.geometry import Image
from toh_mri.lesions import find_lesions

CONFIG = LesionsConfig()
MIDDLE = 8


def superior_head(points):
    inside = (np.linalg.norm(points, axis=-1) < RADIUS) & (points[..., 2] > 0)
    return np.where(inside, 0.8, 0.0)


def lacking(images, name, slices, fill):
    """Return the images with `fill` in slices of one series that the source lacks."""

    def changed(series):
        if series.info.name != name:
            return series
        array = np.array(series.image.array)
        for k in slices:
            array[k] = fill(array, k)
        return replace(series, image=Image(array, series.image.grid), missing_slices=tuple(slices))

    return replace(images, series=tuple(changed(series) for series in images.series))


def between(array, k):
    return (array[k - 1] + array[k + 1]) / 2


def bright(array, _):
    return np.full_like(array[0], 50 * float(array.max()))


def noise(array, k):
    return np.random.default_rng(k).random(array[0].shape).astype(np.float32) * float(array.max())


@pytest.mark.parametrize("name", ["COR_STIR", "COR_T1"])
def test_what_stands_in_a_missing_slice_changes_nothing(name):
    images, anatomy = build(Recipe(edema=superior_head, dark=lambda p: 0.8 * band(p)))
    results = [
        find_lesions(lacking(images, name, (MIDDLE, MIDDLE + 3), fill), anatomy, CONFIG)
        for fill in (between, bright, noise)
    ]
    assert results[0].items, "there is something that could change"
    for other in results[1:]:
        assert other.items == results[0].items
        assert dict(other.statistics) == dict(results[0].statistics)
        assert other.notes == results[0].notes
        assert all(np.array_equal(other.masks[s].array, results[0].masks[s].array) for s in results[0].masks)


def test_edema_of_missing_slices_is_not_counted_and_of_the_others_stays():
    images, anatomy = build(Recipe(edema=superior_head))
    whole = find_lesions(images, anatomy, CONFIG)
    part = find_lesions(lacking(images, "COR_STIR", (MIDDLE,), between), anatomy, CONFIG)
    before, after = (np.array(found.masks[Structure.EDEMA].array) for found in (whole, part))
    assert before[MIDDLE].sum() > 100
    assert after[MIDDLE].sum() == 0
    before[MIDDLE] = False
    assert (before ^ after).sum() < 0.01 * before.sum()
    name, voxel = "edema_femoral_head_ml", anatomy.labels.grid.voxel_volume_ml
    lost = (np.array(whole.masks[Structure.EDEMA].array)[MIDDLE]).sum() * voxel
    assert part.statistics[name] == pytest.approx(whole.statistics[name] - lost, rel=0.02)
    assert any("lacks 1 slice of this hip" in note for note in part.notes)
    assert not any("lacks" in note for note in whole.notes)
    (item,) = part.items
    assert MIDDLE + 5 not in item.slices


def test_edema_beside_missing_t1_slices_is_neither_confirmed_nor_vetoed_by_them():
    unsuppressed = Recipe(contrasts=(Contrast.T2FS, Contrast.T1), unsuppressed=lambda p: 0.8 * (p[..., 0] > 8))
    images, anatomy = build(unsuppressed)
    whole = find_lesions(images, anatomy, CONFIG)
    blind = find_lesions(lacking(images, "COR_T1", (MIDDLE,), lambda array, k: array[k]), anatomy, CONFIG)
    assert whole.masks[Structure.EDEMA].array.sum() == 0, "T1 shows that the bright marrow kept its fat"
    shown = blind.masks[Structure.EDEMA].array.sum(axis=(1, 2))
    assert set(np.flatnonzero(shown)) == {MIDDLE}, "where the slices of both series meet, only one slice is unknown"


def test_a_line_is_linked_across_the_gap_and_not_drawn_in_it():
    gone = (MIDDLE - 1, MIDDLE)
    images, anatomy = build(Recipe(dark=band, contrasts=(Contrast.T1,)))
    (whole,) = find_lesions(images, anatomy, CONFIG).items
    (item,) = find_lesions(lacking(images, "COR_T1", gone, lambda array, _: array[0]), anatomy, CONFIG).items
    slices = {k + 5 for k in gone}
    assert slices < set(whole.slices)
    assert set(item.slices) == set(whole.slices) - slices
    assert item.measures["extent_mm"] == pytest.approx(whole.measures["extent_mm"], rel=0.05)


def test_without_missing_slices_the_same_gap_separates_two_lines():
    """Slices that show no line are no gap: there is nothing to bridge."""
    images, anatomy = build(Recipe(dark=lambda p: band(p) * (np.abs(p[..., 1] + 2) > 3.9), contrasts=(Contrast.T1,)))
    assert len(find_lesions(images, anatomy, CONFIG).items) == 2
