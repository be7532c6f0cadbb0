"""Scoring candidate femoral heads in prepared volumes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toh_mri.geometry import Grid, Side, Sphere
from toh_mri.geometry.shapes import as_point
from toh_mri.kernels.head_search import score_centres
from toh_mri.segmentation.evidence import Evidence
from toh_mri.segmentation.rays import Rays, circle_rays, sphere_rays

CONTRAST_CAP = 1.2  # edge height, in local standard deviations, that counts as a full edge
_EDGE_HALF_WIDTH_MM = 1.5
_GAP_MM = (2.5, 7.0)  # marrow or plate to the far wall of the joint
_TOLERANCE_MM = 1.6

# Adult head radius, both sexes together (true, not magnified: diameter about 43 and 48.5 mm, SD about 2.4 mm in each;
# knowledge from CT and MR series). Only a tie-breaker: one deviation costs as much as 2 % of the rim.
_RADIUS_MM = (22.8, 2.5)
_RADIUS_COST = 0.02
# A place that some of the series do not show is scored by the others, and gives way to one that all of them show
# nearly as well (the author's estimate: half the spread of one head's score between series).
_UNSEEN_COST = 0.05


@dataclass(frozen=True)
class Candidate:
    """A sphere (or circle), its score and its coverage, both 0..1, averaged over the series."""

    sphere: Sphere
    score: float
    coverage: float

    def gap_mm(self, other: Candidate) -> float:
        """Return the distance between the centres of two candidates."""
        return float(np.linalg.norm(np.subtract(self.sphere.center, other.sphere.center)))


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


def rays_for(grid: Grid, side: Side, rays: int) -> Rays:
    """Return rays of a sphere for a volume, of a circle for a single slice."""
    return circle_rays(side, grid.directions[:, 0], rays=rays) if grid.shape[0] == 1 else sphere_rays(side, rays=rays)


class HeadSearch:
    """Scores places in prepared volumes as centres of a femoral head.

    Parameters
    ----------
    evidence : tuple of Evidence
        At least one series, all on one grid.
    radial : RadialGeometry
    rays : int
        Of each sphere or circle.
    """

    def __init__(self, evidence: tuple[Evidence, ...], radial: RadialGeometry, rays: int) -> None:
        self.grid = evidence[0].image.grid
        self._radial = radial
        self._rays = {side: rays_for(self.grid, side, rays) for side in Side}
        steps = {side: self._steps(side) for side in Side}
        self._pad = np.max([np.abs(own).max(axis=(0, 1)) for own in steps.values()], axis=0)
        shape = np.array(self.grid.shape) + 2 * self._pad
        self._strides = np.array([shape[1] * shape[2], shape[2], 1])
        self._ray_offsets = {side: (own @ self._strides).astype(np.int32) for side, own in steps.items()}
        # Padded once, so that no ray leaves the volume.
        self._series = tuple(
            (self._padded(np.asarray(item.image.array, dtype=np.float32)), not item.fat_is_bright) for item in evidence
        )
        mean, deviation = _RADIUS_MM
        self._cost = (_RADIUS_COST * ((radial.radii_mm - mean) / deviation) ** 2).astype(np.float32)

    def score(self, indices: NDArray[np.int64], side: Side) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Score grid positions as centres of a head of one side.

        Parameters
        ----------
        indices : ndarray of int64, shape (n, 3)
            (slice, row, column).
        side : Side

        Returns
        -------
        score, coverage : ndarray of float32, shape (n, radii)
            Means over the series that show the place, the score less the cost of an unusual radius and of series that
            do not show it; 0 where none does.
        """
        centres = (indices + self._pad) @ self._strides
        score, coverage = np.zeros((2, len(indices), self._radial.n_radii), np.float32)
        shown = np.zeros((len(indices), 1), np.float32)
        for padded, either_polarity in self._series:
            here = np.isfinite(padded[centres])
            own_score, own_coverage = self._score_one(padded, centres[here], side, either_polarity=either_polarity)
            score[here] += own_score
            coverage[here] += own_coverage
            shown[here] += 1
        count = np.maximum(shown, 1)
        cost = self._cost + np.float32(_UNSEEN_COST) * (1 - shown / np.float32(len(self._series)))
        found = np.where(shown > 0, score / count - cost, np.float32(0)).astype(np.float32)
        return found, (coverage / count).astype(np.float32)

    def _score_one(
        self, padded: NDArray[np.float32], centres: NDArray[np.int64], side: Side, *, either_polarity: bool
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        rays, radial = self._rays[side], self._radial
        return score_centres(
            padded,
            centres,
            self._ray_offsets[side],
            rays.start,
            rays.weight,
            rays.outer_share,
            radial.half_width,
            radial.gap_low,
            radial.gap_high,
            radial.tolerance,
            CONTRAST_CAP,
            either_polarity,
        )

    def best(self, indices: NDArray[np.int64], side: Side, *, count: int, apart_mm: float) -> list[Candidate]:
        """Return up to `count` best spheres, best first, whose centres are at least `apart_mm` from each other."""
        score, coverage = self.score(indices, side)
        best_radius = score.argmax(axis=1)
        best = score[np.arange(len(indices)), best_radius]
        positions = self.grid.to_world(indices)
        found: list[Candidate] = []
        left = np.ones(len(indices), dtype=bool)
        for n in np.argsort(-best, kind="stable"):
            if not left[n]:
                continue
            sphere = Sphere(as_point(positions[n]), float(self._radial.radii_mm[best_radius[n]]))
            found.append(Candidate(sphere, float(best[n]), float(coverage[n, best_radius[n]])))
            if len(found) == count:
                break
            left &= np.linalg.norm(positions - positions[n], axis=1) >= apart_mm
        return found

    def _steps(self, side: Side) -> NDArray[np.int64]:
        """Return the index steps from a centre to the samples of each ray, shape (rays, samples, 3)."""
        reach = self._rays[side].directions[:, None, :] * self._radial.samples_mm[None, :, None]
        return np.rint(reach @ np.linalg.inv(self.grid.affine[:3, :3]).T).astype(np.int64)

    def _padded(self, volume: NDArray[np.float32]) -> NDArray[np.float32]:
        padded = np.full(np.array(volume.shape) + 2 * self._pad, np.float32(np.nan))
        padded[tuple(slice(p, p + n) for p, n in zip(self._pad, volume.shape, strict=True))] = volume
        return padded.ravel()
