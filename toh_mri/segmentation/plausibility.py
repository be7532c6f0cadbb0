"""Does a traced hip look like one? Named checks, each a reason to look at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from toh_mri.core.config.segmentation import SegmentationConfig
from toh_mri.core.hip import Anatomy, Check, Status
from toh_mri.geometry import Side

_SUPPORTED = 0.3  # evidence above which a ray counts as supported

_SERIES_DISAGREE = (
    "Traced on the T1-like and on the fluid-sensitive series alone, the head's centre differs by {value:.1f} mm; "
    "beyond {limit:g} mm the patient has moved or one series misleads."
)
_AT_BOUND = (
    "{value:.0%} of the head's surface lies at the limit of where it was searched; beyond {limit:.0%} it may lie "
    "further."
)
_DOME = (
    "The top of the head lies {value:.1f} mm off the sphere; beyond {limit:g} mm it has collapsed or was traced on "
    "another edge."
)
_NOT_STABLE = (
    "Started 2.5 mm wider or narrower, the surface differs by {value:.1f} mm (mean); "
    "beyond {limit:g} mm it hangs on where it was started."
)
_AXIS = (
    "The neck leaves the head {value:.0f} degrees from the usual direction; beyond {limit:g} another edge may have "
    "been taken for it."
)


def support_share(support: np.ndarray) -> float:
    """Return the share of rays, 0..1, whose surface met an edge."""
    return float((support > _SUPPORTED).mean())


def shape_checks(radius_mm: float, residual_mm: float, support: float, config: SegmentationConfig) -> tuple[Check, ...]:
    """Check radius, roundness and support of a traced head."""
    low, high = (
        config.radius_min_mm,
        config.radius_max_mm + 1.0,
    )  # the bone lies outside the edge that is searched
    return (
        _check(
            "head_radius",
            low < radius_mm < high,
            radius_mm,
            f"Head radius {radius_mm:.1f} mm, plausible between {low:g} and {high:g} mm.",
        ),
        _check(
            "head_not_spherical",
            residual_mm <= config.maximum_residual_mm,
            residual_mm,
            f"The articular surface departs {residual_mm:.1f} mm (RMS) from a sphere; "
            f"more than {config.maximum_residual_mm:g} mm asks for a look.",
        ),
        _check(
            "rim_support",
            support >= config.minimum_support,
            support,
            f"{100 * support:.0f} % of the head's rim met an edge; "
            f"below {100 * config.minimum_support:.0f} % asks for a look.",
        ),
    )


def neck_checks(support: float, head_neck_share: float, config: SegmentationConfig) -> tuple[Check, ...]:
    """Check the neck's walls and the place of the head-neck plane."""
    return (
        _check(
            "neck_support",
            support >= config.minimum_neck_support,
            support,
            f"{100 * support:.0f} % of the neck's wall met an edge; "
            f"below {100 * config.minimum_neck_support:.0f} % asks for a look.",
        ),
        _check(
            "head_neck_plane",
            0.7 <= head_neck_share <= 0.95,
            head_neck_share,
            f"The head ends {head_neck_share:.2f} radii from its centre: usually 0.81 to 0.85, accepted 0.70 to 0.95.",
        ),
    )


def coverage_check(reference: str, coverage: float, config: SegmentationConfig) -> Check:
    """Check the share of the head's surface, 0..1, that the reference series shows."""
    return _check(
        "head_coverage",
        coverage >= config.minimum_head_coverage,
        coverage,
        f"{100 * coverage:.0f} % of the head's surface lies in the field of view of {reference}; "
        f"below {100 * config.minimum_head_coverage:.0f} % the head is cut and its volume is too small.",
    )


def doubt_checks(features: Mapping[str, float], config: SegmentationConfig) -> tuple[Check, ...]:
    """Check every feature that has a limit in the configuration; those a slice cannot have are left out."""
    rules = (
        ("series_disagree", "series_centre_mm", config.maximum_series_gap_mm, _SERIES_DISAGREE),
        ("surface_at_bound", "at_bound_fraction", config.maximum_bound_fraction, _AT_BOUND),
        ("dome_not_spherical", "dome_off_sphere_mm", config.maximum_dome_deviation_mm, _DOME),
        ("trace_not_stable", "restart_surface_mm", config.maximum_restart_distance_mm, _NOT_STABLE),
        ("neck_axis_unusual", "axis_degree", config.maximum_axis_angle_degree, _AXIS),
    )
    return tuple(
        _check(code, features[name] <= limit, features[name], text.format(value=features[name], limit=limit))
        for code, name, limit, text in rules
        if name in features
    )


def compare_sides(found: Mapping[Side, Anatomy], config: SegmentationConfig) -> dict[Side, Anatomy]:
    """Add the check ``left_right_disagree`` to both hips of a study: one person's heads are of nearly one size.

    A single hip, and hips of which one is a slice's, are returned as they are.
    """
    if len(found) < len(Side) or len({item.dimensionality for item in found.values()}) > 1:
        return dict(found)
    gap = abs(found[Side.LEFT].head.radius_mm - found[Side.RIGHT].head.radius_mm)
    check = _check(
        "left_right_disagree",
        gap <= config.maximum_side_difference_mm,
        gap,
        f"The radii of the left and the right head differ by {gap:.1f} mm; beyond "
        f"{config.maximum_side_difference_mm:g} mm one of them was traced on another edge, or is deformed.",
    )
    return {side: replace(item, checks=(*item.checks, check)) for side, item in found.items()}


def _check(code: str, good: bool, value: float, message: str) -> Check:  # noqa: FBT001
    return Check(code=code, status=Status.OK if good else Status.REVIEW, value=value, message=message)
