"""Scoring candidate femoral heads in prepared volumes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toh_mri.geometry import Side, Sphere
from toh_mri.geometry.shapes import as_point
from toh_mri.kernels.head_search import score_centres
from toh_mri.segmentation.evidence import Evidence
from toh_mri.segmentation.rays import Rays, circle_rays, sphere_rays

_CONTRAST_CAP = 1.2  # edge height, in local standard deviations, that counts as a full edge
_EDGE_HALF_WIDTH_MM = 1.5
_GAP_MM = (2.5, 7.0)  # marrow or plate to the far wall of the joint
_TOLERANCE_MM = 1.6

# Adult head radius, both sexes together (true, not magnified: diameter about 43 and 48.5 mm, SD about 2.4 mm in each;
# knowledge from CT and MR series). Only a tie-breaker: one deviation costs as much as 2 % of the rim.
_RADIUS_MM = (22.8, 2.5)
_RADIUS_COST = 0.02


@dataclass(frozen=True)
class Candidate:
    """A sphere (or circle), its score and its coverage, both 0..1, averaged over the series."""

    sphere: Sphere
    score: float
    coverage: float


@dataclass(frozen=True)
class RadialGeometry:
    """Radial sampling in steps of the search grid."""

    step_mm: float
    half_width: int
    gap_low: int
    gap_high: int
    tolerance: int
    first_radius: int
    n_radii: int

    @classmethod
    def of(cls, step_mm: float, radius_min_mm: float, radius_max_mm: float) -> RadialGeometry:
        """Round everything to whole radial steps."""
        first = int(np.ceil(radius_min_mm / step_mm))
        return cls(
            step_mm,
            half_width=max(0, round(_EDGE_HALF_WIDTH_MM / step_mm - 0.5)),
            gap_low=max(1, round(_GAP_MM[0] / step_mm)),
            gap_high=max(1, round(_GAP_MM[1] / step_mm)),
            tolerance=max(1, int(_TOLERANCE_MM / step_mm)),
            first_radius=first,
            n_radii=int(np.floor(radius_max_mm / step_mm)) - first + 1,
        )

    @property
    def samples_mm(self) -> NDArray[np.float64]:
        """Distances from the centre at which rays are sampled, in mm, half a step off the tested radii."""
        start = self.first_radius - self.tolerance - self.half_width - 0.5
        count = self.n_radii + 2 * self.tolerance + self.gap_high + 2 * self.half_width + 1
        return np.asarray((start + np.arange(count)) * self.step_mm)

    @property
    def radii_mm(self) -> NDArray[np.float64]:
        """The tested radii in mm."""
        return np.asarray((self.first_radius + np.arange(self.n_radii)) * self.step_mm)


def rays_for(evidence: Evidence, side: Side) -> Rays:
    """Return rays of a sphere for a volume, of a circle for a single slice."""
    grid = evidence.image.grid
    return circle_rays(side, grid.directions[:, 0]) if grid.shape[0] == 1 else sphere_rays(side)


def score_positions(
    evidence: tuple[Evidence, ...], indices: NDArray[np.int64], side: Side, radial: RadialGeometry
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Score grid positions as centres of a femoral head of the given side.

    Parameters
    ----------
    evidence : tuple of Evidence
        All on one grid.
    indices : ndarray of int64, shape (n, 3)
        (slice, row, column).
    side : Side
    radial : RadialGeometry

    Returns
    -------
    score, coverage : ndarray of float32, shape (n, radii)
        Means over the series, the score less the cost of an unusual radius.
    """
    grid = evidence[0].image.grid
    rays = rays_for(evidence[0], side)
    reach = rays.directions[:, None, :] * radial.samples_mm[None, :, None]
    offsets = np.rint(reach @ np.linalg.inv(grid.affine[:3, :3]).T).astype(np.int64)
    pad = np.abs(offsets).max(axis=(0, 1))
    shape = np.array(grid.shape) + 2 * pad
    strides = np.array([shape[1] * shape[2], shape[2], 1])
    flat_offsets = (offsets @ strides).astype(np.int32)
    centres = (indices + pad) @ strides
    total_score: NDArray[np.float32] | None = None
    total_coverage: NDArray[np.float32] | None = None
    for item in evidence:
        padded = np.pad(item.image.array, [(p, p) for p in pad], constant_values=np.float32(np.nan))
        score, coverage = score_centres(
            padded.ravel(),
            centres,
            flat_offsets,
            rays.sector,
            rays.weight,
            rays.outer_share,
            radial.half_width,
            radial.gap_low,
            radial.gap_high,
            radial.tolerance,
            _CONTRAST_CAP,
            not item.fat_is_bright,
        )
        total_score = score if total_score is None else total_score + score
        total_coverage = coverage if total_coverage is None else total_coverage + coverage
    if total_score is None or total_coverage is None:
        raise ValueError("no series to search")
    mean, deviation = _RADIUS_MM
    cost = _RADIUS_COST * ((radial.radii_mm - mean) / deviation) ** 2
    return total_score / np.float32(len(evidence)) - cost.astype(np.float32), total_coverage / np.float32(len(evidence))


def best_candidates(
    evidence: tuple[Evidence, ...],
    indices: NDArray[np.int64],
    side: Side,
    radial: RadialGeometry,
    *,
    count: int,
    apart_mm: float,
) -> list[Candidate]:
    """Return up to `count` best spheres, best first, whose centres are at least `apart_mm` from each other."""
    score, coverage = score_positions(evidence, indices, side, radial)
    best_radius = score.argmax(axis=1)
    rows = np.arange(len(indices))
    best = score[rows, best_radius]
    positions = evidence[0].image.grid.to_world(indices)
    found: list[Candidate] = []
    left = np.ones(len(indices), dtype=bool)
    for n in np.argsort(-best, kind="stable"):
        if not left[n]:
            continue
        sphere = Sphere(as_point(positions[n]), float(radial.radii_mm[best_radius[n]]))
        found.append(Candidate(sphere, float(best[n]), float(coverage[n, best_radius[n]])))
        if len(found) == count:
            break
        left &= np.linalg.norm(positions - positions[n], axis=1) >= apart_mm
    return found
