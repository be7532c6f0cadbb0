"""What a line is, by place and shape: band, subchondral line, neck line, or none of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toh_mri.core.config.lesions import LesionsConfig
from toh_mri.core.hip import Anatomy, Structure
from toh_mri.lesions.lines import Segment

_ACROSS_AXIS_COSINE = 0.6  # line against neck axis: beyond about 53 degrees it runs across
_PHYSIS_RADII = (0.0, 0.5)  # along the neck axis from the head's centre: where the closed physis lies
_PHYSIS_THICKNESS_MM = 2.2  # a scar is one pixel of sclerosis; bands measure 2.4 mm and more
_BAND_TOWARDS_NECK_RADII = 0.5  # a band sets off part of the joint surface, not the base of the head
_PARALLEL_SLOPE = 0.5  # change of depth per length of a line that runs with the surface
_TOWARDS_NECK_COSINE = 0.5  # joint surface: directions from the centre at least 60 degrees off the neck axis
_CORTEX_REACH_MM = 4.5  # a fracture of the neck starts at its cortex
_MINIMUM_NECK_DEPTH_MM = 3.5  # and goes in
_INWARD_SLOPE = 0.25  # change of depth per length of a line that leaves the cortex
_STRAIGHT = 0.75  # chord over length


def kind_of(segment: Segment, anatomy: Anatomy, config: LesionsConfig) -> Structure | None:
    """Say what a line may be; None for lines with the place and shape of normal structures.

    - Neck line: starts at the neck's cortex and goes in, straight (stress fractures run at right angles to
      the cortex).
    - Subchondral line: near the joint surface and parallel to it (insufficiency fracture, crescent).
    - Band: in the head, off the neck's end of it, reaching deeper than a subchondral line.

    The closed physis is the commonest mimic of the last two: thin, across the neck axis, just distal of the
    centre. Its place is anatomy; the figures here are conventions. Depths: `LesionsConfig`.
    """
    if segment.head_share < 0.5:
        return Structure.NECK_LINE if _is_neck_line(segment) else None
    along = _along_axis(segment, anatomy)
    scar = _is_across(segment, anatomy) and segment.thickness_mm < _PHYSIS_THICKNESS_MM
    if scar and _PHYSIS_RADII[0] < along < _PHYSIS_RADII[1]:
        return None
    if _is_subchondral(segment, anatomy, config):
        return Structure.SUBCHONDRAL_LINE
    if float(segment.depth_mm.max()) <= config.subchondral_depth_mm and _slope(segment) < _PARALLEL_SLOPE:
        return None
    return Structure.BAND if along < _BAND_TOWARDS_NECK_RADII else None


def _is_neck_line(segment: Segment) -> bool:
    chord = float(np.linalg.norm(segment.points[-1] - segment.points[0]))
    from_cortex = min(segment.depth_mm[0], segment.depth_mm[-1]) < _CORTEX_REACH_MM
    goes_in = segment.depth_mm.max() > _MINIMUM_NECK_DEPTH_MM and _slope(segment) > _INWARD_SLOPE
    return bool(segment.dark and from_cortex and goes_in and chord > _STRAIGHT * segment.length_mm)


def _is_subchondral(segment: Segment, anatomy: Anatomy, config: LesionsConfig) -> bool:
    ray = segment.points.mean(axis=0) - np.asarray(anatomy.head.center)
    towards_neck = float(ray @ neck_axis(anatomy)) / max(float(np.linalg.norm(ray)), 1e-9)
    near = float(np.median(segment.depth_mm)) <= config.subchondral_depth_mm + 0.5 * segment.thickness_mm
    return bool(segment.dark and near and towards_neck < _TOWARDS_NECK_COSINE and _slope(segment) < _PARALLEL_SLOPE)


def _slope(segment: Segment) -> float:
    """Range of depth over length: 0 parallel to the surface, 1 at right angles to it."""
    low, high = np.percentile(segment.depth_mm, [5, 95])
    return float(high - low) / max(segment.length_mm, 1e-9)


def _is_across(segment: Segment, anatomy: Anatomy) -> bool:
    """Tell whether the chord of a line runs across the neck axis."""
    chord = segment.points[-1] - segment.points[0]
    cosine = abs(float(chord @ neck_axis(anatomy))) / max(float(np.linalg.norm(chord)), 1e-9)
    return cosine < _ACROSS_AXIS_COSINE


def neck_axis(anatomy: Anatomy) -> NDArray[np.float64]:
    """Return the measured neck axis; the usual direction of this side where a single slice does not show it."""
    return anatomy.side.usual_neck_axis if anatomy.neck_axis is None else np.asarray(anatomy.neck_axis)


def _along_axis(segment: Segment, anatomy: Anatomy) -> float:
    """Mean position along the neck axis, in head radii from the head's centre."""
    offset = (segment.points - np.asarray(anatomy.head.center)) @ neck_axis(anatomy)
    return float(offset.mean()) / anatomy.head.radius_mm
