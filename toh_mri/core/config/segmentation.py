"""Settings of the search for hips and of the femoral surface."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from toh_mri.core.config.field import setting
from toh_mri.core.frozen import FrozenModel

_LEAST_RANGE_MM = 2.0  # a step of the coarse search, which would else try no radius at all


class SegmentationConfig(FrozenModel):
    """Finding hips; the surface of head and neck; planes."""

    segmenter: str = setting(
        "classical",
        unit="-",
        source="the only one that needs neither trained weights nor a person",
        about="Back end: classical, manual (a person's label image), or one that another package adds.",
        min_length=1,
    )
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
        0.4,
        unit="fraction",
        source="below every femoral head of the two development sets (0.44; synthetic), above most places in fields "
        "of view from which the hips were cut",
        about="A place whose rim agrees less with a femoral head is not taken for one.",
        ge=0,
        le=1,
    )
    minimum_joint_evidence: float = setting(
        0.55,
        unit="fraction",
        source="chosen on synthetic development sets: 0.76 or more in 112 of 112 heads with both contrasts or T1, "
        "0.59 or more in 44 of 44 on one fat-suppressed series",
        about="A place whose rim, plus half the far wall of the joint, agrees less is not taken for a femoral head.",
        ge=0,
        le=1.5,
    )
    review_joint_evidence: float = setting(
        0.7,
        unit="fraction",
        source="chosen on synthetic development sets: places where no hip is, or that missed it, have 0.70 or less; so "
        "have 6 of 44 heads on one fat-suppressed series",
        about="A place that agrees less is only taken for a head where heads usually are, and is marked for review.",
        ge=0,
        le=1.5,
    )
    maximum_neck_rim: float = setting(
        0.9,
        unit="fraction",
        source="femoral heads of the development sets (synthetic) 0.81 or less; painted eyes, knees and bowel 0.97 or "
        "more",
        about="A place whose rim also crosses the neck more clearly is a closed ball and not taken for a femoral head.",
        ge=0,
        le=1,
    )
    minimum_rim_in_view: float = setting(
        0.7,
        unit="fraction",
        source="convention: with less, the missing part is as wide as the head's radius",
        about="A head with less of its rim in the field of view is refused.",
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
    review_location_margin: float = setting(
        0.1,
        unit="fraction",
        source="femoral heads of the development sets lead by 0.19 or more (synthetic)",
        about="A head that agrees less than this better than the next place is marked for review.",
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
    maximum_series_gap_mm: float = setting(
        3.0,
        unit="mm",
        source="real slices: series of one level agree to 3 mm, a pair of different levels did not; synthetic hips of "
        "patients who lay still: at most 2.9 mm",
        about="A head whose centre differs more between T1-like and fluid-sensitive series is marked for review.",
        gt=0,
        le=20,
    )
    maximum_side_difference_mm: float = setting(
        2.5,
        unit="mm",
        source="one person's heads: beyond it a rim was traced on another edge (real slices); a deformed head is rarer",
        about="Hips whose head radii differ more between left and right are marked for review.",
        gt=0,
        le=20,
    )
    maximum_bound_fraction: float = setting(
        0.1,
        unit="fraction",
        source="convention: a tenth of the surface is what the sphere's fit tolerates in one piece",
        about="A head with more of its surface at the limit of the search is marked for review.",
        ge=0,
        le=1,
    )
    maximum_dome_deviation_mm: float = setting(
        0.5,
        unit="mm",
        source="three times what 99 of 100 well traced synthetic hips stay below (0.17 mm)",
        about="A head whose top lies further off the sphere is marked for review.",
        gt=0,
        le=10,
    )
    maximum_restart_distance_mm: float = setting(
        1.5,
        unit="mm",
        source="synthetic hips: 95 of 100 well traced ones stay below 1.0 mm, half of those traced wrongly reach 2.7",
        about="A head traced otherwise (mean distance) from a start 2.5 mm wider or narrower is marked for review.",
        gt=0,
        le=10,
    )
    maximum_axis_angle_degree: float = setting(
        30.0,
        unit="degree",
        source="about two standard deviations of neck-shaft angle and version together (8 and 10 degrees, CT)",
        about="A neck that leaves the head further from the usual direction is marked for review.",
        gt=0,
        le=90,
    )
    review_confidence: float = setting(
        0.7,
        unit="fraction",
        source="reliability of the packaged model on synthetic hips it had not seen: between 0.5 and 0.7 about "
        "half had a head Dice above 0.9, of those above 0.7 nine in ten",
        about="A hip segmented with less confidence is marked for review.",
        ge=0,
        le=1,
    )
    minimum_confidence: float = setting(
        0.05,
        unit="fraction",
        source="convention: one chance in twenty; most synthetic hips below it were traced at another place",
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
        for name in ("location_score", "joint_evidence", "confidence"):
            low, high = getattr(self, f"minimum_{name}"), getattr(self, f"review_{name}")
            if low > high:
                raise ValueError(f"minimum_{name} ({low:g}) must not be above review_{name} ({high:g})")
        return self
