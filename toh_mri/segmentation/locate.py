"""Finding one or two femoral heads in a whole field of view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from toh_mri.core.config.segmentation import SegmentationConfig
from toh_mri.core.errors import SegmentationError
from toh_mri.core.hip import Check, HipLocation, Status
from toh_mri.core.study import AlignedSeries, AlignedStudy
from toh_mri.geometry import Grid, Image, Side
from toh_mri.segmentation.evidence import Evidence, isotropic_grid, prepare
from toh_mri.segmentation.search import Candidate, RadialGeometry, best_candidates

_APART_MM = 12.0


@dataclass(frozen=True)
class _Search:
    """Steps of the search, in mm, and how many places are kept for refinement."""

    coarse_step_mm: float
    fine_step_mm: float
    centre_step_mm: float
    candidates: int


# One slice has fewer rays to tell a head from a loop of bowel: more places are kept, on a finer grid.
_IN_VOLUME = _Search(2.0, 1.0, 6.0, 6)
_IN_SLICE = _Search(0.6, 0.6, 2.0, 24)

# Distance between the heads of one patient, and how far a pair may be tilted or uneven (measured on real slices).
_PAIR_DISTANCE_MM = (178.0, 18.0)
_PAIR_TILT_MM = 30.0
_PAIR_RADIUS_MM = 3.0
_PAIR_DISTANCE_RANGE_MM = (120.0, 240.0)
_PAIR_PENALTY_CAP = 0.4
_BOTH_HIPS_MM = 300.0  # a field of view wider than this shows both hips of an adult
# A pelvis is nearly its own mirror image: what surrounds one head resembles what surrounds the other.
_MIRROR_REACH_MM = 50.0
_MIRROR_STEP_MM = 4.0  # also the blur, so that a few mm between the heads' places do not matter
_MIRROR_SHARE = 0.3

# Closer than this to the scanner's middle, x alone does not tell the side of a lone hip.
_MIDDLE_MM = 30.0


@dataclass(frozen=True)
class _Found:
    side: Side
    candidate: Candidate


def locate_hips(study: AlignedStudy, config: SegmentationConfig) -> tuple[HipLocation, ...]:
    """Find the femoral heads in view, right before left.

    Every series that shows the head's rim votes. Two heads are accepted as a pair where their distance and tilt are
    those of one pelvis; a lone head takes its side from patient coordinates, checked against the direction in which
    its neck leaves it.

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
        ``no_hip_found``.
    """
    series = _searchable(study)
    dimensionality = 2 if series[0].grid_in_frame.shape[0] == 1 else 3
    search = _IN_SLICE if dimensionality == 2 else _IN_VOLUME
    coarse = _prepare_all(series, search.coarse_step_mm)
    fine = _prepare_all(series, search.fine_step_mm)
    places = _places(coarse, search)
    found = {side: _candidates(coarse, fine, places, side, search, config) for side in Side}
    chosen = _choose(found, _blurred(coarse), config)
    alone = len(chosen) == 1 and _left_right_extent(coarse[0].image.grid) > _BOTH_HIPS_MM
    return tuple(_location(item, found, dimensionality, config, missing_other=alone) for item in chosen)


def _searchable(study: AlignedStudy) -> list[AlignedSeries]:
    """Return the series that show a head's rim: stacks before single slices, and of these the coronal ones if any.

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
    return [s for s in pool if s.series.role.plane == "coronal"] or pool


def _prepare_all(series: list[AlignedSeries], step_mm: float) -> tuple[Evidence, ...]:
    grids = [item.grid_in_frame for item in series]
    target = isotropic_grid(grids, step_mm)
    return tuple(
        prepare(
            item.series.info,
            Image(item.series.image.array, grid),
            target,
            fat_is_bright=item.series.role.contrast.is_t1_like,
        )
        for item, grid in zip(series, grids, strict=True)
    )


def _candidates(
    coarse: tuple[Evidence, ...],
    fine: tuple[Evidence, ...],
    places: NDArray[np.int64],
    side: Side,
    search: _Search,
    config: SegmentationConfig,
) -> list[Candidate]:
    """Return refined candidates of one side, best first."""
    first = best_candidates(
        coarse,
        places,
        side,
        RadialGeometry.of(search.coarse_step_mm, config.radius_min_mm, config.radius_max_mm),
        count=search.candidates,
        apart_mm=_APART_MM,
    )
    radial = RadialGeometry.of(search.fine_step_mm, config.radius_min_mm, config.radius_max_mm)
    refined: list[Candidate] = []
    for candidate in first:
        place = candidate
        for reach, pace in ((search.centre_step_mm * 0.75, 2), (2.0, 1)):
            around = _neighbourhood(fine[0].image.grid, place.sphere.center, reach, pace)
            place = best_candidates(fine, around, side, radial, count=1, apart_mm=_APART_MM)[0]
        refined.append(place)
    refined.sort(key=lambda item: (-item.score, item.sphere.center))
    unique: list[Candidate] = []
    for item in refined:
        if all(_gap(item, other) >= _APART_MM for other in unique):
            unique.append(item)
    return unique


def _gap(a: Candidate, b: Candidate) -> float:
    return float(np.linalg.norm(np.subtract(a.sphere.center, b.sphere.center)))


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


def _places(evidence: tuple[Evidence, ...], search: _Search) -> NDArray[np.int64]:
    """Return the positions to search, shape (n, 3): those in the field of view of every series that is searched."""
    indices = _lattice(evidence[0].image.grid, search.centre_step_mm)
    place = tuple(indices.T)
    seen = np.ones(len(indices), dtype=bool)
    for item in evidence:
        seen &= np.isfinite(np.asarray(item.image.array)[place])
    if not seen.any():
        raise SegmentationError(
            "no_hip_found",
            "No place is shown by every series that is searched: " + ", ".join(item.name for item in evidence) + ".",
            "Leave out a series that shows another part of the body, by io.roles in the configuration.",
        )
    return indices[seen]


def _choose(found: dict[Side, list[Candidate]], blurred: tuple[Image, ...], config: SegmentationConfig) -> list[_Found]:
    """Choose a pair if one pelvis explains it, else the best single head."""
    good = {s: [c for c in found[s] if c.score >= config.minimum_location_score] for s in Side}
    best_pair: tuple[float, list[_Found]] | None = None
    for right in good[Side.RIGHT]:
        for left in good[Side.LEFT]:
            penalty = _pair_penalty(right, left)
            if penalty is not None:
                likeness = _mirror_likeness(right, left, blurred)
                value = right.score + left.score - penalty + _MIRROR_SHARE * likeness
                if best_pair is None or value > best_pair[0]:
                    best_pair = (value, [_Found(Side.RIGHT, right), _Found(Side.LEFT, left)])
    if best_pair is not None:
        return best_pair[1]
    single = [_Found(side, candidate) for side, candidates in good.items() for candidate in candidates]
    if not single:
        scores = [c.score for candidates in found.values() for c in candidates]
        raise SegmentationError(
            "no_hip_found",
            f"Nothing in the field of view ({_extent(blurred[0].grid)}) looks like a femoral head: best score "
            f"{max(scores, default=0.0):.2f}, needed {config.minimum_location_score:.2f}.",
            "Check with 'toh-mri plan' that the series show a hip and are taken for what they are.",
        )
    agreeing = [item for item in single if _side_from_coordinates(item) is item.side]
    best = max(agreeing or single, key=lambda item: item.candidate.score)
    return [_Found(_side_from_coordinates(best), best.candidate)]


def _extent(grid: Grid) -> str:
    return " x ".join(f"{length:.0f}" for length in grid.extent_mm) + " mm"


def _pair_penalty(right: Candidate, left: Candidate) -> float | None:
    """Return how unlikely two heads are as one pair, or None where they cannot be one."""
    gap = np.subtract(left.sphere.center, right.sphere.center)
    low, high = _PAIR_DISTANCE_RANGE_MM
    if not low <= gap[0] <= high or np.hypot(gap[1], gap[2]) > gap[0] / 2:
        return None
    mean, deviation = _PAIR_DISTANCE_MM
    penalty = (
        0.06 * (gap[2] / _PAIR_TILT_MM) ** 2
        + 0.06 * (gap[1] / _PAIR_TILT_MM) ** 2
        + 0.03 * ((float(np.linalg.norm(gap)) - mean) / deviation) ** 2
        + 0.03 * ((left.sphere.radius_mm - right.sphere.radius_mm) / _PAIR_RADIUS_MM) ** 2
    )
    return min(float(penalty), _PAIR_PENALTY_CAP)


def _blurred(evidence: tuple[Evidence, ...]) -> tuple[Image, ...]:
    images = []
    for item in evidence:
        grid = item.image.grid
        sigma = [_MIRROR_STEP_MM / s if n > 1 else 0.0 for n, s in zip(grid.shape, grid.spacing_mm, strict=True)]
        inside = np.isfinite(item.image.array)
        smooth = ndimage.gaussian_filter(np.where(inside, item.image.array, np.float32(0)), sigma)
        images.append(Image(np.where(inside, smooth, np.float32(np.nan)), grid))
    return tuple(images)


def _mirror_likeness(right: Candidate, left: Candidate, blurred: tuple[Image, ...]) -> float:
    """Return the mean correlation, -1..1, of the surroundings of one head with the mirrored ones of the other."""
    axis = np.arange(-_MIRROR_REACH_MM, _MIRROR_REACH_MM + 1, _MIRROR_STEP_MM)
    around = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    if blurred[0].grid.shape[0] == 1:
        normal = blurred[0].grid.directions[:, 0]
        around = np.unique(np.round(around - np.outer(around @ normal, normal), 6), axis=0)
    around = around[np.linalg.norm(around, axis=1) <= _MIRROR_REACH_MM]
    correlations = []
    for image in blurred:
        a = image.sample(np.add(left.sphere.center, around))
        b = image.sample(np.add(right.sphere.center, around * [-1, 1, 1]))
        both = np.isfinite(a) & np.isfinite(b)
        # A correlation needs something that varies, on either side.
        if both.sum() > len(around) / 4 and a[both].std() > 0 and b[both].std() > 0:
            correlations.append(np.corrcoef(a[both], b[both])[0, 1])
    return float(np.mean(correlations)) if correlations else 0.0


def _side_from_coordinates(found: _Found) -> Side:
    """Return the side on which a lone head lies in the patient; near the middle, the side its neck tells."""
    x = found.candidate.sphere.center[0]
    if abs(x) < _MIDDLE_MM:
        return found.side
    return Side.LEFT if x > 0 else Side.RIGHT


def _left_right_extent(grid: Grid) -> float:
    return float(np.abs(grid.directions[0] * grid.extent_mm).max())


def _location(
    item: _Found,
    found: dict[Side, list[Candidate]],
    dimensionality: int,
    config: SegmentationConfig,
    *,
    missing_other: bool,
) -> HipLocation:
    own = item.candidate
    mirrored = max((c.score for c in found[item.side.other] if _gap(c, own) < _APART_MM), default=0.0)
    direct = max((c.score for c in found[item.side] if _gap(c, own) < _APART_MM), default=0.0)
    conflict = mirrored - direct > config.side_conflict_margin
    radius = own.sphere.radius_mm
    at_bound = radius <= config.radius_min_mm + 0.5 or radius >= config.radius_max_mm - 0.5
    checks = (
        Check(
            code="other_hip_not_found",
            status=Status.REVIEW if missing_other else Status.OK,
            value=None,
            message="The field of view is wide enough for both hips, but only this one was found."
            if missing_other
            else "Every hip expected in this field of view was found.",
        ),
        Check(
            code="location_score",
            status=Status.OK if own.score >= config.review_location_score else Status.REVIEW,
            value=own.score,
            message=f"Agreement of the rim with a femoral head {own.score:.2f}, "
            f"below {config.review_location_score:.2f} asks for a look.",
        ),
        Check(
            code="side_conflict",
            status=Status.REVIEW if conflict else Status.OK,
            value=direct - mirrored,
            message="The joint and neck look like the other side's; the side is taken from patient coordinates."
            if conflict
            else "Joint and neck agree with the side given by patient coordinates.",
        ),
        Check(
            code="radius_at_bound",
            status=Status.REVIEW if at_bound else Status.OK,
            value=radius,
            message=f"Head radius {radius:.1f} mm; searched {config.radius_min_mm:g} to {config.radius_max_mm:g} mm.",
        ),
    )
    return HipLocation(item.side, own.sphere, own.score, own.coverage, dimensionality, checks)
