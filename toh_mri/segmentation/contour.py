"""The head in a single slice: a closed contour of least cost round a circle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.draw import polygon2mask

from toh_mri.geometry import Grid, Image, Side, Sphere
from toh_mri.geometry.shapes import as_point
from toh_mri.kernels.surface import edge_evidence, height_field
from toh_mri.segmentation.evidence import Evidence
from toh_mri.segmentation.rays import NECK_TRUST, looks_down_the_neck, outer_share
from toh_mri.segmentation.surface import OUTWARD_MM

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
_CAUCHY_MM = 1.0


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
    """

    points: NDArray[np.float64]
    marrow: NDArray[np.float64]
    support: NDArray[np.float64]
    circle: Sphere
    residual_mm: float


def trace_contour(evidence: tuple[Evidence, ...], start: Sphere, side: Side, cortex_mm: float) -> HeadContour:
    """Trace the head's section from a starting circle; in the neck's opening the contour follows the circle."""
    plane = evidence[0].image.grid.directions
    angle = np.arange(_AZIMUTHS) * 2 * np.pi / _AZIMUTHS
    rays = np.cos(angle)[:, None] * plane[:, 2] + np.sin(angle)[:, None] * plane[:, 1]
    opening = looks_down_the_neck(rays, side)
    trust = np.where(opening, NECK_TRUST, 1.0)
    share = outer_share(rays, side)
    kinds = {item.fat_is_bright for item in evidence}
    outward = OUTWARD_MM["both" if len(kinds) == 2 else "fat bright" if True in kinds else "fat suppressed"]
    circle = start
    for _ in range(_PASSES):
        reward = np.mean([_reward(item, circle, rays, share) for item in evidence], axis=0)
        offset = np.arange(reward.shape[1]) * _STEP_MM - _REACH_MM
        cost = -trust[:, None] * reward + _PRIOR_COST * 0.5 * (offset / _DEVIATION_MM) ** 2
        heights = height_field(cost[None].astype(np.float32), _STIFFNESS, _LARGEST_STEP)[0]
        distance = circle.radius_mm - _REACH_MM + heights.astype(np.float64) * _STEP_MM
        support = np.take_along_axis(reward, np.rint(heights).astype(int)[:, None], axis=1)[:, 0]
        edge = np.asarray(circle.center) + distance[:, None] * rays
        previous, circle = circle, _fit_circle(edge, trust * (0.05 + support), plane)
    bone = np.asarray(previous.center) + (distance + outward)[:, None] * rays
    marrow = np.asarray(previous.center) + (distance + outward - cortex_mm)[:, None] * rays
    final = Sphere(circle.center, circle.radius_mm + outward)
    residual = final.signed_distance(bone[~opening])
    return HeadContour(bone, marrow, support.astype(np.float64), final, float(np.sqrt(np.mean(residual**2))))


def fill(points: NDArray[np.float64], grid: Grid) -> Image:
    """Return the pixels of a one-slice grid inside a closed contour, shape (n, 3) in LPS mm."""
    mask = polygon2mask(grid.shape[1:], grid.to_index(points)[:, 1:])
    return Image(mask[None], grid)


def _reward(
    item: Evidence, circle: Sphere, rays: NDArray[np.float64], share: NDArray[np.float64]
) -> NDArray[np.float32]:
    n_offsets = round(2 * _REACH_MM / _STEP_MM) + 1
    n_samples = n_offsets + _GAP[1] + 2 * _HALF_WIDTH + 1
    distance = circle.radius_mm - _REACH_MM + (np.arange(n_samples) - _HALF_WIDTH - 0.5) * _STEP_MM
    points = np.asarray(circle.center) + rays[:, None, :] * distance[None, :, None]
    profiles = ndimage.gaussian_filter1d(item.image.sample(points), 2.0, axis=0, mode="wrap")
    return np.asarray(
        edge_evidence(
            profiles[None],
            share[None].astype(np.float32),
            n_offsets,
            _HALF_WIDTH,
            *_GAP,
            _CONTRAST_CAP,
            not item.fat_is_bright,
        )[0]
    )


def _fit_circle(points: NDArray[np.float64], weight: NDArray[np.float64], plane: NDArray[np.float64]) -> Sphere:
    """Fit a circle in the slice: algebraic start, then Cauchy-weighted Gauss-Newton steps."""
    flat = points @ plane[:, 1:]
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
    in_plane = plane[:, 1:] @ (centre + middle)
    return Sphere(as_point(in_plane + plane[:, 0] * (points[0] @ plane[:, 0])), radius)
