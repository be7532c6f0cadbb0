"""Traces of hips with truth, as they are and worsened in named ways: what the confidence is fitted on."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from toh_mri.core.config import Config
from toh_mri.core.errors import TohMriError
from toh_mri.core.hip import HipImages, HipSeries
from toh_mri.geometry import Grid, Image, Side, Sphere
from toh_mri.geometry.shapes import as_point
from toh_mri.io import load_study, read_nifti
from toh_mri.preprocess import align_study, check_laterality, crop_hip
from toh_mri.segmentation.locate import locate_hips
from toh_mri.segmentation.search import HeadSearch, RadialGeometry
from toh_mri.segmentation.segment import gather_evidence, trace_hip

CONFIG = Config()
LEFT_CODES = 10  # truth labels of a left hip are those of a right one plus this
NEAR_MM = 3.0
RAYS = 400  # as of the fine search
ON_GRID = 0.05  # voxels

Change = Callable[[HipSeries, np.random.Generator, NDArray[np.bool_]], HipSeries]


def traced_case(folder: Path, seed: int) -> Iterator[dict[str, Any]]:
    """Yield a row per hip and variant: side, variant, Dice and features."""
    study = load_study(folder / "nifti" if (folder / "nifti").exists() else folder / "study", CONFIG)
    names = tuple(s for s in study.series if s.role.contrast.is_t1_like or s.role.contrast.is_fluid_sensitive)
    truth = json.loads((folder / "truth" / "truth.json").read_text(encoding="utf-8"))
    try:
        aligned = align_study(replace(study, series=names), CONFIG.preprocess)
        located = check_laterality(aligned, locate_hips(aligned, CONFIG.segmentation))
    except TohMriError:
        return
    for location in located:
        if location.dimensionality == 3 and location.side[0].upper() in truth["hips"]:
            images = crop_hip(aligned, location, CONFIG.preprocess)
            draw = np.random.default_rng([seed, zlib.crc32(f"{folder.name} {location.side}".encode())])
            yield from _variants(images, folder, draw)


def _variants(images: HipImages, folder: Path, draw: np.random.Generator) -> Iterator[dict[str, Any]]:
    bones = {s.info.name: _labels(folder, s, images.side) for s in images.series}
    head = Image(np.asarray(bones[images.reference].array) == 1, images.reference_series.image.grid)
    if not head.array.any():
        return
    kinds = {_is_t1(s) for s in images.series}
    for name, kept, change in VARIANTS:
        if not kept <= kinds:
            continue
        chosen = [s for s in images.series if _is_t1(s) in kept]
        series = tuple(change(s, draw, np.asarray(bones[s.info.name].array) > 0) for s in chosen)
        changed = replace(images, series=(_only_a_grid(images.reference_series), *series))
        yield from _traced(_rescored(changed, draw, WRONG_MM.get(name)), head, name)
        if name in SLICED:
            yield from _traced_slice(replace(images, series=series), bones, name, draw)


def _traced(images: HipImages, head: Image, variant: str) -> Iterator[dict[str, Any]]:
    try:
        anatomy, features = trace_hip(images, CONFIG.segmentation)
    except TohMriError:
        return
    found, wanted = anatomy.labels.array == 1, np.asarray(head.array)
    dice = 2 * float((found & wanted).sum()) / max(1.0, float(found.sum() + wanted.sum()))
    yield {
        "dimensionality": f"{anatomy.dimensionality}d",
        "side": str(images.side),
        "variant": variant,
        "dice": round(dice, 5),
        "features": {name: round(value, 5) for name, value in features.values.items()},
    }


def _traced_slice(
    images: HipImages, bones: dict[str, Image], variant: str, draw: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """Trace one slice through the head, the nearest one of each series."""
    shift = draw.uniform(-0.6, 0.6) * images.location.sphere.radius_mm
    reference = images.series[0].image_in_reference.grid
    point = np.asarray(images.location.sphere.center) + shift * reference.directions[:, 0]
    single = [_slice_at(s, point) for s in images.series]
    if any(s is None for s in single):
        return
    series = tuple(s for s in single if s is not None)
    first = series[0]
    native = bones[first.info.name]
    places = np.clip(native.grid.nearest(first.image.grid.voxel_centres()), 0, np.array(native.grid.shape) - 1)
    head = Image(np.asarray(native.array)[tuple(np.moveaxis(places, -1, 0))] == 1, first.image.grid)
    if head.array.sum() < 50:
        return
    moved = np.linalg.inv(first.to_reference)
    series = tuple(replace(s, to_reference=moved @ s.to_reference) for s in series)
    centre = (moved @ np.append(point, 1.0))[:3]
    radius = float(np.sqrt(max(images.location.sphere.radius_mm**2 - shift**2, 1.0)))
    location = replace(images.location, sphere=Sphere(as_point(centre), radius), dimensionality=2)
    placed = replace(images, location=location, reference=first.info.name, series=series)
    wrong = WRONG_IN_SLICE_MM if draw.uniform() < WRONG_SLICES else None
    yield from _traced(_rescored(placed, draw, wrong), head, variant)


def _slice_at(series: HipSeries, point: NDArray[np.float64]) -> HipSeries | None:
    grid = series.image_in_reference.grid
    k = int(np.rint(grid.to_index(point))[0])
    if not 0 <= k < grid.shape[0]:
        return None
    image = series.image.crop((k, 0, 0), (k + 1, *grid.shape[1:]))
    return replace(series, image=image, missing_slices=())


def _rescored(images: HipImages, draw: np.random.Generator, wrong_mm: float | None) -> HipImages:
    """Find the head again near where it was, or near a place that is wrong by so much."""
    evidence = gather_evidence(images)
    grid = evidence[0].image.grid
    radial = RadialGeometry.of(grid.spacing_mm[1], CONFIG.segmentation.radius_min_mm, CONFIG.segmentation.radius_max_mm)
    direction = draw.normal(size=3)
    if images.location.dimensionality == 2:
        direction -= direction @ grid.directions[:, 0] * grid.directions[:, 0]
    direction /= np.linalg.norm(direction)
    middle = np.asarray(images.location.sphere.center) + (wrong_mm or 0.0) * direction
    reach = [round(NEAR_MM / s) if n > 1 else 0 for n, s in zip(grid.shape, grid.spacing_mm, strict=True)]
    axes = [np.arange(c - r, c + r + 1, 2) for c, r in zip(grid.nearest(middle), reach, strict=True)]
    indices = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    indices = indices[((indices >= 0) & (indices < grid.shape)).all(axis=1)]
    if not len(indices):
        return images
    best = HeadSearch(evidence, radial, RAYS).best(indices.astype(np.int64), images.side, count=1, apart_mm=1.0)[0]
    location = replace(images.location, sphere=best.sphere, score=best.score, coverage=best.coverage)
    return replace(images, location=location)


def _only_a_grid(series: HipSeries) -> HipSeries:
    """Return a series that masks are written on, but nothing is traced on: it shows no role."""
    return replace(series, info=series.info.model_copy(update={"role": None, "name": f"{series.info.name} grid"}))


def _labels(folder: Path, series: HipSeries, side: Side) -> Image:
    """Return the true labels of one side, int64, on a series' crop: 0 where none, and without truth on its grid."""
    centres = series.image.grid.voxel_centres()
    for path in sorted((folder / "truth").glob("*_labels.nii.gz")):
        truth = read_nifti(path)
        index = truth.grid.to_index(centres)
        nearest = np.rint(index).astype(int)
        if np.abs(index - nearest).max() < ON_GRID and ((nearest >= 0) & (nearest < truth.grid.shape)).all():
            values = np.asarray(truth.array)[tuple(np.moveaxis(nearest, -1, 0))].astype(np.int64)
            values -= LEFT_CODES if side is Side.LEFT else 0
            return series.image.with_array(np.where((values >= 1) & (values <= 3), values, 0))
    return series.image.with_array(np.zeros(series.image.grid.shape, np.int64))


def _is_t1(series: HipSeries) -> bool:
    return series.info.role is not None and series.info.role.contrast.is_t1_like


def _as_is(series: HipSeries, _draw: np.random.Generator, _bone: NDArray[np.bool_]) -> HipSeries:
    return series


def _noisy(series: HipSeries, draw: np.random.Generator, _bone: NDArray[np.bool_]) -> HipSeries:
    signal = np.asarray(series.image.array, dtype=np.float32)
    level = draw.uniform(0.1, 0.35) * np.percentile(signal, 90)
    noisy = np.hypot(signal + draw.normal(0, level, signal.shape), draw.normal(0, level, signal.shape))
    return replace(series, image=series.image.with_array(noisy.astype(np.float32)))


def _noisy_half(series: HipSeries, draw: np.random.Generator, bone: NDArray[np.bool_]) -> HipSeries:
    """Return half the rows and columns, after noise was added."""
    series = _noisy(series, draw, bone)
    grid = series.image.grid
    smooth = ndimage.gaussian_filter(np.asarray(series.image.array, dtype=np.float32), (0, 0.8, 0.8))[:, ::2, ::2]
    return replace(series, image=Image(smooth, Grid(smooth.shape, grid.affine @ np.diag([1.0, 2.0, 2.0, 1.0]))))


def _thick(series: HipSeries, _draw: np.random.Generator, _bone: NDArray[np.bool_]) -> HipSeries:
    """Return slices of 5 mm or more: every slice is a mean over the new thickness."""
    grid, thickness = series.image.grid, 5.5
    spacing = grid.spacing_mm[0]
    count = int(grid.shape[0] * spacing / thickness)
    if count < 3:
        return series
    sub = (np.arange(count * 4) + 0.5) / 4 * thickness / spacing - 0.5
    signal = ndimage.map_coordinates(
        np.asarray(series.image.array, dtype=np.float32),
        np.stack(np.meshgrid(sub, *(np.arange(n) for n in grid.shape[1:]), indexing="ij")),
        order=1,
        mode="nearest",
    )
    signal = signal.reshape(count, 4, *grid.shape[1:]).mean(axis=1)
    affine = grid.affine @ np.diag([thickness / spacing, 1.0, 1.0, 1.0])
    affine[:3, 3] = grid.to_world([sub[:4].mean(), 0, 0])
    return replace(series, image=Image(signal, Grid(signal.shape, affine)), missing_slices=())


def _edematous(series: HipSeries, draw: np.random.Generator, bone: NDArray[np.bool_]) -> HipSeries:
    """Return a T1 on which all femoral marrow is about as dark as muscle; other series as they are."""
    if not _is_t1(series) or not bone.any():
        return series
    signal = np.asarray(series.image.array, dtype=np.float32)
    marrow = float(np.percentile(signal[bone], 80))
    weight = ndimage.gaussian_filter(bone.astype(np.float32), (0, 1, 1))
    low = float(np.percentile(signal[bone], 5))
    wanted = draw.uniform(0.4, 0.6) * marrow
    flat = low + (signal - low) * (wanted - low) / max(marrow - low, 1e-6)
    changed = np.where(signal > low, signal + weight * (flat - signal), signal)
    return replace(series, image=series.image.with_array(changed.astype(np.float32)))


def _moved(series: HipSeries, draw: np.random.Generator, _bone: NDArray[np.bool_]) -> HipSeries:
    """Return the T1-like series 2 to 6 mm from where it belongs."""
    if not _is_t1(series):
        return series
    shift = np.eye(4)
    direction = draw.normal(size=3)
    shift[:3, 3] = draw.uniform(2, 6) * direction / np.linalg.norm(direction)
    return replace(series, to_reference=shift @ series.to_reference)


BOTH, T1, FLUID = frozenset({True, False}), frozenset({True}), frozenset({False})
VARIANTS: tuple[tuple[str, frozenset[bool], Change], ...] = (
    ("both", BOTH, _as_is),
    ("fluid", FLUID, _as_is),
    ("t1", T1, _as_is),
    ("noisy fluid", FLUID, _noisy),
    ("noisy half", BOTH, _noisy_half),
    ("thick", BOTH, _thick),
    ("t1 edema", T1, _edematous),
    ("moved", BOTH, _moved),
    ("elsewhere", BOTH, _as_is),
)
WRONG_MM = {"elsewhere": 14.0}
WRONG_IN_SLICE_MM, WRONG_SLICES = 12.0, 0.3
SLICED = ("both", "fluid", "t1", "noisy half", "t1 edema")
