"""Finding one or two femoral heads in a whole field of view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toh_mri.core.config.segmentation import SegmentationConfig
from toh_mri.core.errors import SegmentationError
from toh_mri.core.hip import HipLocation
from toh_mri.core.study import AlignedSeries, AlignedStudy
from toh_mri.geometry import Grid, Image, Side
from toh_mri.segmentation.acceptance import Place, accept
from toh_mri.segmentation.evidence import Evidence, isotropic_grid, prepare
from toh_mri.segmentation.pair import Found, blurred, likeliest
from toh_mri.segmentation.search import Candidate, HeadSearch, RadialGeometry
from toh_mri.segmentation.void import is_void

_APART_MM = 12.0

# A hip lies in its own half of the scanner, or up to this far beyond the middle: on a table moved sideways, or with the
# hip brought to the middle.
_BEYOND_MIDDLE_MM = 60.0


# A head whose centre lies nearer to the edge of the field of view has a third of its rim cut off, or more.
_FROM_EDGE_MM = 8.0


@dataclass(frozen=True)
class _Steps:
    """How finely places are searched: grid step, lattice and refinements in mm; rays; places kept."""

    grid_mm: float
    lattice_mm: float
    rays: int
    candidates: int
    refinements: tuple[tuple[float, int], ...]  # reach in mm, pace in samples


# One slice has fewer rays to tell a head from a loop of bowel: more places are kept, on a finer grid.
_IN_VOLUME = _Steps(2.0, 6.0, 200, 6, ((4.0, 1),))
_IN_SLICE = _Steps(0.6, 2.0, 90, 24, ((1.5, 2), (2.0, 1)))
# Where a head was found in a volume, its place and radius are settled on a finer grid, cut out round it.
_FINE = _Steps(1.0, 0.0, 400, 1, ((3.0, 1),))
_MIRROR_REFINEMENT = (2.0, 1)


def locate_hips(study: AlignedStudy, config: SegmentationConfig) -> tuple[HipLocation, ...]:
    """Find the femoral heads in view, right before left.

    Every series that shows a place votes on it. Two heads are accepted as a pair where their distance and tilt are
    those of one pelvis; a lone head takes its side from patient coordinates, checked against the direction in which
    its neck leaves it. What only resembles a head is refused (`toh_mri.segmentation.acceptance`).

    Parameters
    ----------
    study : AlignedStudy
    config : SegmentationConfig

    Returns
    -------
    tuple of HipLocation
        One or two, in the study's common frame.

    Raises
    ------
    SegmentationError
        ``no_usable_series``; ``mixed_dimensions`` if the only slices are single ones of different planes;
        ``no_hip_found``; ``immature_hip``; ``metal_void``; ``head_cut_off``.
    """
    series = _searchable(study)
    steps = _IN_SLICE if series[0].grid_in_frame.shape[0] == 1 else _IN_VOLUME
    coarse = _prepare_all(series, isotropic_grid([item.grid_in_frame for item in series], steps.grid_mm))
    search = HeadSearch(coarse, _radial(steps, config), steps.rays)
    places = _places(search.grid, coarse, steps)
    found = {side: _candidates(search, places, side, steps) for side in Side}
    attempts = likeliest(found, blurred(coarse), config)
    settled = ([_settle(item, series, coarse, search, config) for item in attempt] for attempt in attempts)
    return accept(settled, search.grid, config)


def _radial(steps: _Steps, config: SegmentationConfig) -> RadialGeometry:
    return RadialGeometry.of(steps.grid_mm, config.radius_min_mm, config.radius_max_mm)


def _searchable(study: AlignedStudy) -> list[AlignedSeries]:
    """Return the series that show a head's rim, by name: stacks before single slices, of these the coronal ones if any.

    Coronal slices cut both walls of the joint; further planes added time and no accuracy where they were tried.
    """
    usable = [s for s in study.series if s.series.role.contrast.is_t1_like or s.series.role.contrast.is_fluid_sensitive]
    if not usable:
        raise SegmentationError(
            "no_usable_series",
            "No T1-like and no fluid-sensitive series to find a hip in.",
            "'toh-mri plan' says what each series was taken for; io.roles in the configuration overrides it.",
        )
    pool = [s for s in usable if s.series.image.grid.shape[0] > 1] or usable
    coronal = [s for s in pool if s.series.role.plane == "coronal"] or pool
    return sorted(coronal, key=lambda item: item.series.name)


def _prepare_all(
    series: list[AlignedSeries], target: Grid, coarse: tuple[Evidence, ...] | None = None
) -> tuple[Evidence, ...]:
    """Prepare every series on one grid, normalised with the contrast of its coarse evidence where that is given."""
    contrasts = [None] * len(series) if coarse is None else [item.contrast for item in coarse]
    return tuple(
        prepare(
            item.series.info,
            Image(item.series.image.array, item.grid_in_frame),
            target,
            fat_is_bright=item.series.role.contrast.is_t1_like,
            contrast=contrast,
        )
        for item, contrast in zip(series, contrasts, strict=True)
    )


def _places(grid: Grid, evidence: tuple[Evidence, ...], steps: _Steps) -> NDArray[np.int64]:
    """Return the positions to search, shape (n, 3).

    They lie in the field of view of a series, and not nearer to its edge than shows most of a head.
    """
    indices = _lattice(grid, steps.lattice_mm)
    seen = np.zeros(len(indices), dtype=bool)
    for item in evidence:
        shown = np.isfinite(np.asarray(item.image.array))
        own = shown[tuple(indices.T)]
        for axis, spacing in enumerate(grid.spacing_mm):
            for beside in (-_FROM_EDGE_MM, _FROM_EDGE_MM) if grid.shape[axis] > 1 else ():
                moved = indices.copy()
                moved[:, axis] = np.clip(moved[:, axis] + round(beside / spacing), 0, grid.shape[axis] - 1)
                own &= shown[tuple(moved.T)]
        seen |= own
    return indices[seen]


def _candidates(search: HeadSearch, places: NDArray[np.int64], side: Side, steps: _Steps) -> list[Candidate]:
    """Return refined candidates of one side, best first."""
    own = places[search.grid.to_world(places)[:, 0] * side.lateral_x > -_BEYOND_MIDDLE_MM]
    refined: list[Candidate] = []
    for candidate in search.best(own, side, count=steps.candidates, apart_mm=_APART_MM):
        place = candidate
        for reach, pace in steps.refinements:
            place = _best_near(search, place, side, reach, pace)
        refined.append(place)
    refined.sort(key=lambda item: (-item.score, item.sphere.center))
    unique: list[Candidate] = []
    for item in refined:
        if all(item.gap_mm(other) >= _APART_MM for other in unique):
            unique.append(item)
    return unique


def _best_near(search: HeadSearch, candidate: Candidate, side: Side, reach_mm: float, pace: int) -> Candidate:
    around = _neighbourhood(search.grid, candidate.sphere.center, reach_mm, pace)
    return search.best(around, side, count=1, apart_mm=_APART_MM)[0]


def _lattice(grid: Grid, step_mm: float) -> NDArray[np.int64]:
    pace = [max(1, round(step_mm / s)) if n > 1 else 1 for n, s in zip(grid.shape, grid.spacing_mm, strict=True)]
    axes = [np.arange(p // 2, n, p) for n, p in zip(grid.shape, pace, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3).astype(np.int64)


def _neighbourhood(grid: Grid, centre: tuple[float, float, float], reach_mm: float, pace: int) -> NDArray[np.int64]:
    middle = grid.nearest(centre)
    axes = []
    for m, n, s in zip(middle, grid.shape, grid.spacing_mm, strict=True):
        steps = int(np.ceil(reach_mm / s / pace)) * pace if n > 1 else 0
        axes.append(np.unique(np.clip(np.arange(m - steps, m + steps + 1, pace), 0, n - 1)))
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3).astype(np.int64)


def _settle(
    item: Found,
    series: list[AlignedSeries],
    coarse: tuple[Evidence, ...],
    search: HeadSearch,
    config: SegmentationConfig,
) -> Place:
    """Settle a head's place and radius on fine evidence, and score the other side's head at the same place."""
    evidence, own = coarse, item.candidate
    if search.grid.shape[0] > 1:
        radial = _radial(_FINE, config)
        box = _box(
            search.grid, own.sphere.center, radial.samples_mm[-1] + _FINE.refinements[0][0] + _MIRROR_REFINEMENT[0]
        )
        evidence = _prepare_all(series, box, coarse)
        search = HeadSearch(evidence, radial, _FINE.rays)
        own = _best_near(search, own, item.side, *_FINE.refinements[0])
    mirrored = _best_near(search, own, item.side.other, *_MIRROR_REFINEMENT)
    return Place(item.side, own, mirrored, item.rival_score, evidence, is_void(series, own.sphere))


def _box(grid: Grid, centre: tuple[float, float, float], reach_mm: float) -> Grid:
    """Return a fine grid round a place, along the axes of the coarse one and no further than that."""
    low, high = grid.to_world([0, 0, 0]), grid.to_world(np.array(grid.shape) - 1)
    first = np.maximum(np.ceil((low - centre) / _FINE.grid_mm), -np.ceil(reach_mm / _FINE.grid_mm))
    last = np.minimum(np.floor((high - centre) / _FINE.grid_mm), np.ceil(reach_mm / _FINE.grid_mm))
    affine = np.zeros((4, 4))
    affine[2, 0] = affine[1, 1] = affine[0, 2] = _FINE.grid_mm
    affine[:3, 3] = centre + first * _FINE.grid_mm
    affine[3, 3] = 1.0
    x, y, z = (last - first).astype(int) + 1
    return Grid((z, y, x), affine)
