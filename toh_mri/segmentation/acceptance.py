"""Is what was found a femoral head? Refused by name where it is not.

Many things are round. A head is told from bowel, bladder, condyles or eyes by the far wall of the joint, beyond its rim
towards the acetabulum, and by the neck, where it has no rim.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toh_mri.core.config.segmentation import SegmentationConfig
from toh_mri.core.errors import SegmentationError
from toh_mri.core.hip import Check, HipLocation, Status
from toh_mri.geometry import Grid, Side, Sphere
from toh_mri.segmentation.evidence import Evidence
from toh_mri.segmentation.rays import Rays
from toh_mri.segmentation.search import CONTRAST_CAP, Candidate, rays_for

_BOTH_HIPS_MM = 300.0  # a field of view wider than this shows both hips of an adult
_AT_BOUND_MM = 0.5
# Where the heads of real coronal series were found, tilted and off-centre patients included: distance from the middle,
# and the share of the picture's height.
_FROM_MIDDLE_MM = (40.0, 130.0)
_PICTURE_SHARE = 0.8
_FAR_WALL_SHARE = 0.5  # what the far wall counts beside the rim: on one fat-suppressed series it may be hidden

# Profiles from inside the rim to beyond the far wall of the joint; an edge is a difference over 3 mm, as in the search.
_STEP_MM = 1.0
_EDGE_SAMPLES = 3
_INSIDE_MM, _OUTSIDE_MM = 5.5, 10.5
_SLACK_SAMPLES = 1  # by which a rim may lie off the sphere
_GAP_SAMPLES = (2, 8)  # rim to far wall
_RAYS_3D, _RAYS_2D = 400, 180
_NECK_WEIGHT = 0.3  # of the largest `Rays.weight`: below it a sector looks down the neck
_ACETABULAR_SHARE = 0.3  # `Rays.outer_share` above which a sector looks into the acetabulum


@dataclass(frozen=True, eq=False)
class Place:
    """Where a head was found, and what it is judged by.

    Attributes
    ----------
    side : Side
    candidate : Candidate
    mirrored : Candidate
        The best head of the other side at the same place.
    rival_score : float
        The best score of another place on this side, 0 if there is none.
    evidence : tuple of Evidence
        Every series that was searched, round the place.
    is_void : bool
        No series gives signal here.
    """

    side: Side
    candidate: Candidate
    mirrored: Candidate
    rival_score: float
    evidence: tuple[Evidence, ...]
    is_void: bool


@dataclass(frozen=True)
class Joint:
    """What the rays from a head's centre meet, 0..1.

    Attributes
    ----------
    far_wall : float
        Mean height of the edge beyond the rim, of the opposite sign, towards the acetabulum.
    neck_rim : float
        Mean height of the rim's edge where the neck leaves the head: a head is open there, a ball is not.
    seen : float
        Share of the rim that any series shows.
    """

    far_wall: float
    neck_rim: float
    seen: float


def joint_of(place: Place) -> Joint:
    """Measure the far wall of the joint and the rim across the neck, averaged over the series that show it."""
    grid = place.evidence[0].image.grid
    rays = rays_for(grid, place.side, _RAYS_2D if grid.shape[0] == 1 else _RAYS_3D)
    walls, seen = [], np.zeros(len(rays.directions), dtype=bool)
    for item in place.evidence:
        profiles = _profiles(item, place.candidate.sphere, rays)
        rim = round(_INSIDE_MM / _STEP_MM)
        seen |= np.isfinite(profiles[:, rim - 1 : rim + 2]).all(axis=1)
        if np.isfinite(item.image.sample(place.candidate.sphere.center)):
            walls.append(_walls(profiles, rays, fat_is_bright=item.fat_is_bright))
    far_wall, neck_rim = np.mean(walls, axis=0) if walls else (0.0, 0.0)
    return Joint(float(far_wall), float(neck_rim), float(seen.mean()))


def _profiles(evidence: Evidence, sphere: Sphere, rays: Rays) -> NDArray[np.float32]:
    count = round((_INSIDE_MM + _OUTSIDE_MM) / _STEP_MM) + 1
    start = np.full(len(rays.directions), sphere.radius_mm - _INSIDE_MM)
    return evidence.profiles(np.asarray(sphere.center), rays.directions, start, _STEP_MM, count)


def _walls(profiles: NDArray[np.float32], rays: Rays, *, fat_is_bright: bool) -> tuple[float, float]:
    """Return mean heights, 0..1: of the edge beyond the rim towards the acetabulum, of the rim across the neck."""
    known = np.isfinite(profiles)
    first = rays.start[:-1]
    count = np.add.reduceat(known, first, axis=0)
    mean = np.add.reduceat(np.where(known, profiles, 0), first, axis=0) / np.maximum(count, 1)
    edge = np.clip((mean[:, _EDGE_SAMPLES:] - mean[:, :-_EDGE_SAMPLES]) / CONTRAST_CAP, -1, 1)
    edge[(count[:, _EDGE_SAMPLES:] == 0) | (count[:, :-_EDGE_SAMPLES] == 0)] = 0
    down, up = np.maximum(-edge, 0), np.maximum(edge, 0)
    middle = round(_INSIDE_MM / _STEP_MM - _EDGE_SAMPLES / 2)
    at_rim = slice(middle - _SLACK_SAMPLES, middle + _SLACK_SAMPLES + 1)
    beyond = slice(middle - _SLACK_SAMPLES + _GAP_SAMPLES[0], middle + _SLACK_SAMPLES + _GAP_SAMPLES[1])
    bright, dark = down[:, at_rim].max(axis=1), up[:, at_rim].max(axis=1)  # the inside of the rim
    bright_inside = fat_is_bright | (bright >= dark)
    far = np.where(bright_inside, up[:, beyond].max(axis=1), down[:, beyond].max(axis=1))
    rim = np.where(bright_inside, bright, dark)
    across_neck = rays.weight < _NECK_WEIGHT * rays.weight.max()
    return float(far[rays.outer_share > _ACETABULAR_SHARE].mean()), float(rim[across_neck].mean())


def accept(attempts: Iterable[list[Place]], grid: Grid, config: SegmentationConfig) -> tuple[HipLocation, ...]:
    """Return the first attempt of which any place is a femoral head, right before left.

    Parameters
    ----------
    attempts : iterable of list of Place
        What to try in turn; none is asked for after one has succeeded.
    grid : Grid
        Of the whole field of view.
    config : SegmentationConfig

    Raises
    ------
    SegmentationError
        ``no_hip_found``; or, where one place comes near, what is the matter with it: ``metal_void``,
        ``head_cut_off``, ``immature_hip``.
    """
    refusals: list[SegmentationError] = []
    for attempt in attempts:
        good, joints = [], []
        for place in attempt:
            joint = joint_of(place)
            refusal = _refusal(place, joint, grid, config)
            if refusal is None:
                good.append(place)
                joints.append(joint)
            else:
                refusals.append(refusal)
        if good:
            alone = len(good) == 1 and _left_right_extent(grid) > _BOTH_HIPS_MM
            return tuple(_location(p, j, config, missing_other=alone) for p, j in zip(good, joints, strict=True))
    named = [error for error in refusals if error.code != "no_hip_found"]
    raise (named or refusals or [_nothing(grid)])[0]


def _nothing(grid: Grid) -> SegmentationError:
    extent = " x ".join(f"{length:.0f}" for length in grid.extent_mm)
    return SegmentationError(
        "no_hip_found",
        f"Nothing in the field of view ({extent} mm) looks like a femoral head.",
        "Check with 'toh-mri plan' that the series show a hip and are taken for what they are.",
    )


def _refusal(place: Place, joint: Joint, grid: Grid, config: SegmentationConfig) -> SegmentationError | None:
    own = place.candidate
    radius = own.sphere.radius_mm
    where = f"at LPS {own.sphere.center[0]:.0f}, {own.sphere.center[1]:.0f}, {own.sphere.center[2]:.0f} mm"
    if place.is_void:
        return SegmentationError(
            "metal_void",
            f"The place that looks most like a head ({where}) gives no signal in any series: metal, or another void.",
            "A replaced or pinned hip cannot be measured.",
        )
    together = _together(place, joint)
    doubt = ""
    if own.score < config.minimum_location_score:
        doubt = f"agreement of its rim {own.score:.2f}, needed {config.minimum_location_score:.2f}"
    elif place.evidence[0].image.grid.shape[0] == 1:
        pass  # what follows was measured on volumes; a slice may pass beside the neck and the joint's wall
    elif together < config.minimum_joint_evidence:
        doubt = f"rim and far wall of the joint together {together:.2f}, needed {config.minimum_joint_evidence:.2f}"
    elif together < config.review_joint_evidence and not _where_heads_are(own.sphere, grid):
        doubt = (
            f"rim and far wall of the joint together {together:.2f}, needed {config.review_joint_evidence:.2f} so near "
            "the patient's middle or the edge of the field of view"
        )
    elif joint.neck_rim > config.maximum_neck_rim:
        doubt = f"it is a closed ball: rim across the neck {joint.neck_rim:.2f}, at most {config.maximum_neck_rim:.2f}"
    if doubt:
        return SegmentationError(
            "no_hip_found",
            f"The roundest place ({where}) does not look like a femoral head: {doubt}.",
            "Check with 'toh-mri plan' that the series show a hip and are taken for what they are.",
        )
    if joint.seen < config.minimum_rim_in_view:
        return SegmentationError(
            "head_cut_off",
            f"The field of view shows {100 * joint.seen:.0f} % of the {place.side.value} femoral head's rim ({where}).",
            "Use series that show the whole head.",
        )
    if radius <= config.radius_min_mm + _AT_BOUND_MM and own.score < config.review_location_score:
        return SegmentationError(
            "immature_hip",
            f"What looks most like a head ({where}) is as small as the smallest searched, radius {radius:.1f} mm: a "
            "child's hip, or none.",
            "This package is made for adults; segmentation.radius_min_mm sets the smallest head.",
        )
    return None


def _where_heads_are(sphere: Sphere, grid: Grid) -> bool:
    """Tell whether a place lies as far from the patient's middle as heads do, and in the middle of the picture."""
    x, _, z = sphere.center
    middle, half = float(grid.centre[2]), float(np.abs(grid.directions[2] * grid.extent_mm).max()) / 2
    return _FROM_MIDDLE_MM[0] <= abs(x) <= _FROM_MIDDLE_MM[1] and abs(z - middle) <= _PICTURE_SHARE * half


def _together(place: Place, joint: Joint) -> float:
    return place.candidate.score + _FAR_WALL_SHARE * joint.far_wall


def _left_right_extent(grid: Grid) -> float:
    return float(np.abs(grid.directions[0] * grid.extent_mm).max())


def _location(place: Place, joint: Joint, config: SegmentationConfig, *, missing_other: bool) -> HipLocation:
    own = place.candidate
    dimensionality = 2 if place.evidence[0].image.grid.shape[0] == 1 else 3
    checks = (_other_hip_check(missing_other=missing_other), *_place_checks(place, joint, config))
    return HipLocation(place.side, own.sphere, own.score, own.coverage, dimensionality, checks)


def _other_hip_check(*, missing_other: bool) -> Check:
    if missing_other:
        message = "The field of view is wide enough for both hips, but only this one was found."
        return Check(code="other_hip_not_found", status=Status.REVIEW, value=None, message=message)
    message = "Every hip expected in this field of view was found."
    return Check(code="other_hip_not_found", status=Status.OK, value=None, message=message)


def _place_checks(place: Place, joint: Joint, config: SegmentationConfig) -> tuple[Check, ...]:
    own = place.candidate
    together, dimensionality = _together(place, joint), 2 if place.evidence[0].image.grid.shape[0] == 1 else 3
    advantage = own.score - place.mirrored.score
    conflict = -advantage > config.side_conflict_margin
    margin = own.score - place.rival_score
    radius = own.sphere.radius_mm
    at_bound = not config.radius_min_mm + _AT_BOUND_MM < radius < config.radius_max_mm - _AT_BOUND_MM
    return (
        _check(
            "location_score",
            own.score >= config.review_location_score,
            own.score,
            f"Agreement of the rim with a femoral head {own.score:.2f}, "
            f"below {config.review_location_score:.2f} asks for a look.",
        ),
        _check(
            "joint_evidence",
            dimensionality == 2 or together >= config.review_joint_evidence,
            together,
            f"Agreement of rim and far wall of the joint {together:.2f}; below {config.review_joint_evidence:.2f} it "
            "is only taken for one where heads usually are, and asks for a look.",
        ),
        _check(
            "location_margin",
            margin >= config.review_location_margin,
            margin,
            f"The next best place agrees {margin:.2f} less; below {config.review_location_margin:.2f} asks for a look.",
        ),
        _check(
            "side_conflict",
            not conflict,
            advantage,
            "The joint and neck look like the other side's; the side is taken from patient coordinates."
            if conflict
            else "Joint and neck agree with the side given by patient coordinates.",
        ),
        _check(
            "radius_at_bound",
            not at_bound,
            radius,
            f"Head radius {radius:.1f} mm; searched {config.radius_min_mm:g} to {config.radius_max_mm:g} mm.",
        ),
        _check(
            "head_cut_off",
            joint.seen >= config.minimum_head_coverage,
            joint.seen,
            f"The field of view shows {100 * joint.seen:.0f} % of the head's rim; "
            f"below {100 * config.minimum_head_coverage:.0f} % asks for a look.",
        ),
    )


def _check(code: str, good: bool, value: float, message: str) -> Check:  # noqa: FBT001
    return Check(code=code, status=Status.OK if good else Status.REVIEW, value=value, message=message)
