"""The head in a single slice: a closed contour of least cost round a circle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.draw import polygon2mask

from toh_mri.geometry import Grid, Image, Side, Sphere
from toh_mri.geometry.shapes import as_point
from toh_mri.kernels.paths import closed_path
from toh_mri.kernels.surface import edge_evidence
from toh_mri.segmentation.cortex import PLATE_MM
from toh_mri.segmentation.evidence import Evidence
from toh_mri.segmentation.rays import NECK_TRUST, looks_down_the_neck, outer_share

_AZIMUTHS = 180
_STEP_MM = 0.4
_REACH_MM = 7.0
_HALF_WIDTH = 2
_GAP = (6, 17)  # 2.5-7 mm in steps
_CONTRAST_CAP = 1.2
_DEVIATION_MM = 2.5
_PRIOR_COST = 0.35
_STIFFNESS = 0.15
_LARGEST_STEP = 2
_PASSES = 3
_CHANGE_COST = 1.5  # of one ray, for marrow that turns from brighter than the plate to as dark
# A search may end on the outside of the joint's fluid, this far off (real slices): the path that costs least wins.
_START_SHIFT_MM = 4.0
_START_WIDER_MM = (-2.5, 0.0, 2.5)
_KEPT = 3
_NEAR_MM = 1.6
_CAUCHY_MM = 1.0


@dataclass(frozen=True, eq=False)
class _Trace:
    """A path round a starting circle, the circle fitted to it, and what it cost."""

    start: Sphere
    distance_mm: NDArray[np.float64]
    support: NDArray[np.float64]
    circle: Sphere
    cost: float


@dataclass(frozen=True, eq=False)
class HeadContour:
    """A traced head section.

    Attributes
    ----------
    points : ndarray of float64, shape (azimuths, 3)
        The bone's outer face, LPS mm, closed.
    marrow : ndarray of float64, shape (azimuths, 3)
        The same, one cortex further in.
    support : ndarray of float64, shape (azimuths,)
        0..1, evidence met.
    circle : Sphere
        Circle fitted to the contour outside the neck's opening: centre in the slice.
    residual_mm : float
        Root mean square distance of the contour from the circle there.
    closing : float
        0..1, evidence that the rim goes on across the neck's opening: high where the slice shows no neck.
    """

    points: NDArray[np.float64]
    marrow: NDArray[np.float64]
    support: NDArray[np.float64]
    circle: Sphere
    residual_mm: float
    closing: float


def trace_contour(evidence: tuple[Evidence, ...], start: Sphere, side: Side, cortex_mm: float) -> HeadContour:
    """Trace the head's section from a starting circle; in the neck's opening the contour follows the circle."""
    plane = evidence[0].image.grid.directions
    angle = np.arange(_AZIMUTHS) * 2 * np.pi / _AZIMUTHS
    rays = np.cos(angle)[:, None] * plane[:, 2] + np.sin(angle)[:, None] * plane[:, 1]
    opening = looks_down_the_neck(rays, side)
    trust = np.where(opening, NECK_TRUST, 1.0)
    share = outer_share(rays, side)
    first = [_settle(evidence, circle, rays, trust, share, 1) for circle in _starts(start, rays)]
    best = sorted(first, key=lambda item: item.cost)[:_KEPT]
    trace = min(
        (_settle(evidence, item.circle, rays, trust, share, _PASSES) for item in best), key=lambda item: item.cost
    )
    bone = np.asarray(trace.start.center) + trace.distance_mm[:, None] * rays
    marrow = np.asarray(trace.start.center) + (trace.distance_mm - cortex_mm)[:, None] * rays
    residual = trace.circle.signed_distance(bone[~opening])
    closing = _closing(evidence, trace.circle, rays[opening])
    return HeadContour(bone, marrow, trace.support, trace.circle, float(np.sqrt(np.mean(residual**2))), closing)


def _starts(start: Sphere, rays: NDArray[np.float64]) -> list[Sphere]:
    """Return the circles to start from: the marrow's rim that was found, one plate wider, and others about it."""
    shifts = np.concatenate([np.zeros((1, 3)), _START_SHIFT_MM * rays[:: _AZIMUTHS // 8][:8]])
    return [
        Sphere(as_point(start.center + shift), start.radius_mm + PLATE_MM + wider)
        for shift in shifts
        for wider in _START_WIDER_MM
    ]


def _settle(
    evidence: tuple[Evidence, ...],
    circle: Sphere,
    rays: NDArray[np.float64],
    trust: NDArray[np.float64],
    share: NDArray[np.float64],
    passes: int,
) -> _Trace:
    """Trace round a circle, fit the circle again, and so on."""
    offset = np.arange(round(2 * _REACH_MM / _STEP_MM) + 1) * _STEP_MM - _REACH_MM
    prior = _PRIOR_COST * 0.5 * (offset / _DEVIATION_MM) ** 2
    for _ in range(passes):
        reward = _reward(evidence, circle, rays, share)
        cost = prior - trust[:, None] * reward
        heights, layers, total = closed_path(cost.astype(np.float32), _STIFFNESS, _LARGEST_STEP, _CHANGE_COST)
        distance = circle.radius_mm - _REACH_MM + ndimage.gaussian_filter1d(heights * _STEP_MM, 1.0, mode="wrap")
        support = reward[layers, np.arange(_AZIMUTHS), heights].astype(np.float64)
        bone = np.asarray(circle.center) + distance[:, None] * rays
        start, circle = circle, _fit_circle(bone, trust * (0.05 + support), rays)
    return _Trace(start, distance, support, circle, float(total))


def fill(points: NDArray[np.float64], grid: Grid) -> Image:
    """Return the pixels of a one-slice grid inside a closed contour, shape (n, 3) in LPS mm."""
    mask = polygon2mask(grid.shape[1:], grid.to_index(points)[:, 1:])
    return Image(mask[None], grid)


def _closing(evidence: tuple[Evidence, ...], circle: Sphere, rays: NDArray[np.float64]) -> float:
    """Return the evidence, 0..1, of a rim on the circle along rays: of most of them, and of the edge itself."""
    reward = _reward(evidence, circle, rays, np.zeros(len(rays))).max(axis=0)
    middle, near = round(_REACH_MM / _STEP_MM), round(_NEAR_MM / _STEP_MM)
    return float(np.median(reward[:, middle - near : middle + near + 1].max(axis=1)))


def _reward(
    evidence: tuple[Evidence, ...], circle: Sphere, rays: NDArray[np.float64], share: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return how well each place agrees with the outer face of the bone, shape (layers, azimuths, offsets).

    In the first layer marrow is brighter than the plate, in the second it is as dark and the outer face is what shows;
    where fat is bright, marrow is. A head does not change from one to the other at every ray.
    """
    inner = [_edges(item, circle, rays, share, PLATE_MM, falling=True) for item in evidence]
    if all(item.fat_is_bright for item in evidence):
        return np.asarray(np.mean([inner], axis=1))
    outer = [
        first if item.fat_is_bright else _edges(item, circle, rays, share, 0.0, falling=False)
        for item, first in zip(evidence, inner, strict=True)
    ]
    return np.asarray(np.mean([inner, outer], axis=1))


def _edges(
    item: Evidence,
    circle: Sphere,
    rays: NDArray[np.float64],
    share: NDArray[np.float64],
    inward_mm: float,
    *,
    falling: bool,
) -> NDArray[np.float32]:
    n_offsets = round(2 * _REACH_MM / _STEP_MM) + 1
    n_samples = n_offsets + _GAP[1] + 2 * _HALF_WIDTH + 1
    start = np.full(len(rays), circle.radius_mm - inward_mm - _REACH_MM - (_HALF_WIDTH + 0.5) * _STEP_MM)
    profiles = item.profiles(np.asarray(circle.center), rays, start, _STEP_MM, n_samples)
    profiles = ndimage.gaussian_filter1d(profiles if falling else -profiles, 2.0, axis=0, mode="wrap")
    return np.asarray(
        edge_evidence(
            profiles[None],
            share[None].astype(np.float32),
            n_offsets,
            _HALF_WIDTH,
            *_GAP,
            _CONTRAST_CAP,
            either_polarity=False,
        )[0]
    )


def _fit_circle(points: NDArray[np.float64], weight: NDArray[np.float64], rays: NDArray[np.float64]) -> Sphere:
    """Fit a circle in the slice: algebraic start, then Cauchy-weighted Gauss-Newton steps."""
    plane = np.column_stack([rays[0], rays[_AZIMUTHS // 4]])
    flat = points @ plane
    middle = flat.mean(axis=0)
    q = flat - middle
    root = np.sqrt(weight)
    design = np.column_stack([2 * q, np.ones(len(q))]) * root[:, None]
    solution, *_ = np.linalg.lstsq(design, (q**2).sum(axis=1) * root, rcond=None)
    centre = solution[:2]
    radius = float(np.sqrt(max(solution[2] + centre @ centre, 0)))
    for _ in range(12):
        ray = q - centre
        length = np.maximum(np.linalg.norm(ray, axis=1), 1e-9)
        residual = length - radius
        trust = np.sqrt(weight / (1 + (residual / _CAUCHY_MM) ** 2))
        jacobian = np.column_stack([ray / length[:, None], np.ones(len(q))]) * trust[:, None]
        step, *_ = np.linalg.lstsq(jacobian, residual * trust, rcond=None)
        centre = centre + step[:2]
        radius += float(step[2])
    middle_of_plane = points[0] - plane @ flat[0]
    return Sphere(as_point(plane @ (centre + middle) + middle_of_plane), radius)
