"""Settings of the search for hips and of the femoral surface."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from toh_mri.core.config.field import setting
from toh_mri.core.frozen import FrozenModel

_LEAST_RANGE_MM = 2.0  # a step of the coarse search, which would else try no radius at all


class SegmentationConfig(FrozenModel):
    """Finding hips; the surface of head and neck; planes."""

    radius_min_mm: float = setting(
        17.0,
        unit="mm",
        source="femoral head diameter of adults, hip-MRI literature (Kour 2023): mean minus about 4 SD",
        about="Smallest head radius searched.",
        ge=8,
        le=25,
    )
    radius_max_mm: float = setting(
        28.0,
        unit="mm",
        source="femoral head diameter of adults, hip-MRI literature (Kour 2023): mean plus about 2 SD",
        about="Largest head radius searched.",
        ge=20,
        le=40,
    )
    minimum_location_score: float = setting(
        0.35,
        unit="fraction",
        source="below every femoral head of the development hips (0.43 on one fat-suppressed series); it does not "
        "refuse every volume without a hip",
        about="A place that agrees less with a femoral head is not taken for one.",
        ge=0,
        le=1,
    )
    review_location_score: float = setting(
        0.55,
        unit="fraction",
        source="development hips with both contrasts score 0.46 to 0.82; the orbits of head MR reach 0.55",
        about="A head found with a lower score is marked for review.",
        ge=0,
        le=1,
    )
    side_conflict_margin: float = setting(
        0.05,
        unit="fraction",
        source="convention",
        about="A lone head whose mirror image fits better by more than this is marked for review.",
        ge=0,
        le=1,
    )
    maximum_residual_mm: float = setting(
        1.0,
        unit="mm",
        source="traced on real and synthetic heads: healthy ones stay below 0.8 mm",
        about="A head whose articular surface departs more (RMS) from a sphere is marked for review.",
        gt=0,
        le=5,
    )
    minimum_support: float = setting(
        0.5,
        unit="fraction",
        source="convention: more of the rim seen than not",
        about="A head with less of its rim on an edge is marked for review.",
        ge=0,
        le=1,
    )
    minimum_neck_support: float = setting(
        0.3,
        unit="fraction",
        source="convention: the upper wall is often invisible on fat-suppressed series",
        about="A neck with less of its wall on an edge is marked for review.",
        ge=0,
        le=1,
    )
    minimum_head_coverage: float = setting(
        0.95,
        unit="fraction",
        source="convention: 5 % of the surface is about one end slice",
        about="A head with less of its surface in the field of view is marked for review.",
        ge=0,
        le=1,
    )
    review_confidence: float = setting(
        0.5,
        unit="fraction",
        source="convention, not yet calibrated",
        about="A hip segmented with less confidence is marked for review.",
        ge=0,
        le=1,
    )
    minimum_confidence: float = setting(
        0.1,
        unit="fraction",
        source="convention, not yet calibrated",
        about="A hip segmented with less confidence has failed.",
        ge=0,
        le=1,
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.radius_max_mm - self.radius_min_mm < _LEAST_RANGE_MM:
            raise ValueError(
                f"radius_min_mm ({self.radius_min_mm:g}) must be at least {_LEAST_RANGE_MM:g} mm below radius_max_mm "
                f"({self.radius_max_mm:g})"
            )
        for name in ("location_score", "confidence"):
            low, high = getattr(self, f"minimum_{name}"), getattr(self, f"review_{name}")
            if low > high:
                raise ValueError(f"minimum_{name} ({low:g}) must not be above review_{name} ({high:g})")
        return self
