"""Does a traced hip look like one? Named checks, and a confidence made of them."""

from __future__ import annotations

import numpy as np

from toh_mri.core.config.segmentation import SegmentationConfig
from toh_mri.core.hip import Check, HipLocation, Status

_SUPPORTED = 0.3  # evidence above which a ray counts as supported


def support_share(support: np.ndarray) -> float:
    """Return the share of rays, 0..1, whose surface met an edge."""
    return float((support > _SUPPORTED).mean())


def confidence(location: HipLocation, support: float, residual_mm: float, config: SegmentationConfig) -> float:
    """Combine location score, support of the rim and roundness to 0..1.

    Each part is 1 where it is as good as a clear head and falls linearly to 0 at its reject threshold; the product
    is taken. A convention, not yet a calibrated probability.
    """
    parts = (
        _ramp(location.score, config.minimum_location_score - 0.1, config.review_location_score + 0.1),
        _ramp(support, 0.2, 0.6),
        _ramp(-residual_mm, -2 * config.maximum_residual_mm, -0.5 * config.maximum_residual_mm),
    )
    return float(np.prod(parts))


def _ramp(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))


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


def _check(code: str, good: bool, value: float, message: str) -> Check:  # noqa: FBT001
    return Check(code=code, status=Status.OK if good else Status.REVIEW, value=value, message=message)
