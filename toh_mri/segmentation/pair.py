"""Which of the places that look like a head are the two, or the one, of this patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from toh_mri.core.config.segmentation import SegmentationConfig
from toh_mri.geometry import Image, Side
from toh_mri.segmentation.evidence import Evidence
from toh_mri.segmentation.search import Candidate

# Distance between the heads of one patient, and how far a pair may be tilted or uneven (measured on real slices).
_PAIR_DISTANCE_MM = (178.0, 18.0)
_PAIR_TILT_MM = 30.0
_PAIR_RADIUS_MM = 3.0
_PAIR_DISTANCE_RANGE_MM = (120.0, 240.0)
_PAIR_PENALTY_CAP = 0.4
# A pelvis is nearly its own mirror image: what surrounds one head resembles what surrounds the other.
_MIRROR_REACH_MM = 50.0
_MIRROR_STEP_MM = 4.0  # also the blur, so that a few mm between the heads' places do not matter
_MIRROR_SHARE = 0.3

_COARSE_SLACK = 0.1  # by which a head may score less on the coarse grid than on the fine one
_TRIED = 3  # lone heads: the coarse grid may take a trochanter for the better one
_RIVAL_MM = 20.0  # nearer places share most of their rim with the head itself

# Closer than this to the scanner's middle, x alone does not tell the side of a lone hip.
_MIDDLE_MM = 30.0


@dataclass(frozen=True)
class Found:
    """A candidate, the side it was taken for, and the best score of another place on that side (0 if there is none)."""

    side: Side
    candidate: Candidate
    rival_score: float = 0.0


def likeliest(
    found: dict[Side, list[Candidate]], looks: tuple[Image, ...], config: SegmentationConfig
) -> list[list[Found]]:
    """Return what to try in turn: the best pair that one pelvis explains, then single heads.

    Parameters
    ----------
    found : dict of Side to list of Candidate
        Best first.
    looks : tuple of Image
        From `blurred`.
    config : SegmentationConfig
    """
    floor = config.minimum_location_score - _COARSE_SLACK
    good = {s: [c for c in found[s] if c.score >= floor] for s in Side}
    attempts = [_best_pair(good, looks), *_single(good)]
    return [
        [Found(item.side, item.candidate, _rival(item, found[item.side])) for item in attempt]
        for attempt in attempts
        if attempt
    ]


def _best_pair(good: dict[Side, list[Candidate]], looks: tuple[Image, ...]) -> list[Found]:
    best: tuple[float, list[Found]] = (-np.inf, [])
    for right in good[Side.RIGHT]:
        for left in good[Side.LEFT]:
            penalty = _pair_penalty(right, left)
            if penalty is None:
                continue
            value = right.score + left.score - penalty + _MIRROR_SHARE * mirror_likeness(right, left, looks)
            if value > best[0]:
                best = (value, [Found(Side.RIGHT, right), Found(Side.LEFT, left)])
    return best[1]


def _single(good: dict[Side, list[Candidate]]) -> list[list[Found]]:
    """Return lone heads, best first, before them those that look like the side on which they lie."""
    single = [Found(side, candidate) for side, candidates in good.items() for candidate in candidates]
    agreeing = [item for item in single if _side_from_coordinates(item) is item.side] or single
    agreeing.sort(key=lambda item: (-item.candidate.score, item.candidate.sphere.center))
    return [[Found(_side_from_coordinates(item), item.candidate)] for item in agreeing[:_TRIED]]


def _rival(item: Found, candidates: list[Candidate]) -> float:
    return max((c.score for c in candidates if c.gap_mm(item.candidate) >= _RIVAL_MM), default=0.0)


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


def blurred(evidence: tuple[Evidence, ...]) -> tuple[Image, ...]:
    """Return the evidence with detail below `_MIRROR_STEP_MM` taken away; NaN outside the field of view."""
    images = []
    for item in evidence:
        grid = item.image.grid
        sigma = [_MIRROR_STEP_MM / s if n > 1 else 0.0 for n, s in zip(grid.shape, grid.spacing_mm, strict=True)]
        inside = np.isfinite(item.image.array)
        smooth = ndimage.gaussian_filter(np.where(inside, item.image.array, np.float32(0)), sigma)
        images.append(Image(np.where(inside, smooth, np.float32(np.nan)), grid))
    return tuple(images)


def mirror_likeness(right: Candidate, left: Candidate, blurred: tuple[Image, ...]) -> float:
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


def _side_from_coordinates(found: Found) -> Side:
    """Return the side on which a lone head lies in the patient; near the middle, the side its neck tells."""
    x = found.candidate.sphere.center[0]
    if abs(x) < _MIDDLE_MM:
        return found.side
    return Side.LEFT if x > 0 else Side.RIGHT
