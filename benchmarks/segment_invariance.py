"""How far the outline of the head changes where nothing about the hip has changed.

    python benchmarks/segment_invariance.py COHORT [CASE ...]

Every study is segmented as it is and disturbed: array and affine flipped, a gain that rises by a factor of e across the
field of view, other units, another order of series, the patient turned by 10 degrees about each axis, half the rows and
columns, slices of 5 mm. Printed: Dice of the head with the undisturbed result, least and median over the hips; a hip
that is lost counts as 0.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from toh_mri.core.config import Config
from toh_mri.core.errors import TohMriError
from toh_mri.core.hip import Label
from toh_mri.core.study import Series, Study
from toh_mri.evaluation.overlap import brought_to, dice
from toh_mri.geometry import Grid, Image, Side
from toh_mri.io import load_study
from toh_mri.preprocess import align_study, crop_hip
from toh_mri.segmentation import locate_hips, segment_hip

CONFIG = Config()
THICK_MM = 5.0


def main() -> None:
    """Print a line for every disturbance."""
    root, *names = sys.argv[1:]
    folders = [Path(root, name) for name in names] or sorted(Path(root).glob("case-*"))
    studies = [load_study(f / "nifti" if (f / "nifti").is_dir() else f / "study", CONFIG) for f in folders]
    plain = [heads(study) for study in studies]
    for name, disturb, turn in disturbances():
        values = []
        for study, before in zip(studies, plain, strict=True):
            after = heads(replace(study, series=disturb(study)))
            values += [_agreement(head, after.get(side), turn) for side, head in before.items()]
        print(f"{name:28} {len(values)} hips: least {min(values):.4f}, median {np.median(values):.4f}")


def heads(study: Study) -> dict[Side, Image]:
    """Return the head's mask of every hip found."""
    found = {}
    try:
        aligned = align_study(study, CONFIG.preprocess)
        for location in locate_hips(aligned, CONFIG.segmentation):
            labels = segment_hip(crop_hip(aligned, location, CONFIG.preprocess), CONFIG.segmentation).labels
            found[location.side] = labels.with_array(labels.array == Label.FEMORAL_HEAD.code)
    except TohMriError as error:
        print(f"  {study.study_id}: {error.code}", file=sys.stderr)
    return found


def disturbances() -> Iterator[tuple[str, Callable[[Study], tuple[Series, ...]], np.ndarray]]:
    """Yield name, disturbance, and how it moved the patient, shape (4, 4)."""
    still = np.eye(4)
    yield "array and affine flipped", lambda study: _each(study, _flipped), still
    yield "gain rising by e", lambda study: _each(study, _ramped), still
    yield "other units", lambda study: _each(study, lambda image: image.with_array(image.array * 37.0)), still
    yield "other order of series", lambda study: study.series[::-1], still
    for axis in range(3):
        turn = np.eye(4)
        turn[:3, :3] = Rotation.from_rotvec(np.radians(10) * np.eye(3)[axis]).as_matrix()
        yield (
            f"turned 10 degrees about {'xyz'[axis]}",
            lambda study, turn=turn: _each(study, lambda image: Image(image.array, image.grid.transformed(turn))),
            turn,
        )
    yield "half the rows and columns", lambda study: _each(study, _halved), still
    yield f"slices of {THICK_MM:g} mm", lambda study: _each(study, _thick), still


def _each(study: Study, change: Callable[[Image], Image]) -> tuple[Series, ...]:
    return tuple(replace(series, image=change(series.image)) for series in study.series)


def _flipped(image: Image) -> Image:
    shape = np.array(image.grid.shape)
    affine = image.grid.affine @ np.diag([-1.0, -1.0, 1.0, 1.0])
    affine[:3, 3] = image.grid.to_world([shape[0] - 1, shape[1] - 1, 0])
    return Image(image.array[::-1, ::-1], Grid(image.grid.shape, affine))


def _ramped(image: Image) -> Image:
    return image.with_array(image.array * np.exp(np.linspace(0, 1, image.grid.shape[1]))[:, None])


def _halved(image: Image) -> Image:
    smooth = ndimage.gaussian_filter(np.asarray(image.array, dtype=np.float32), (0, 0.8, 0.8))[:, ::2, ::2]
    return Image(smooth, Grid(smooth.shape, image.grid.affine @ np.diag([1.0, 2.0, 2.0, 1.0])))


def _thick(image: Image) -> Image:
    """Average slices to 5 mm, by linear interpolation between four places across each."""
    spacing = image.grid.spacing_mm[0]
    count = int(image.grid.shape[0] * spacing / THICK_MM)
    at = (np.arange(count * 4) + 0.5) / 4 * THICK_MM / spacing - 0.5
    whole = np.asarray(image.array, dtype=np.float32)
    low = np.clip(np.floor(at).astype(int), 0, len(whole) - 2)
    part = np.clip(at - low, 0, 1).astype(np.float32)[:, None, None]
    thick = ((1 - part) * whole[low] + part * whole[low + 1]).reshape(count, 4, *whole.shape[1:]).mean(axis=1)
    affine = image.grid.affine @ np.diag([THICK_MM / spacing, 1.0, 1.0, 1.0])
    affine[:3, 3] = image.grid.to_world([at[:4].mean(), 0, 0])
    return Image(thick, Grid(thick.shape, affine))


def _agreement(before: Image, after: Image | None, turn: np.ndarray) -> float:
    if after is None:
        return 0.0
    moved = before.grid.transformed(turn)
    return dice(brought_to(np.asarray(before.array), moved, after.grid), np.asarray(after.array)) or 0.0


if __name__ == "__main__":
    main()
