"""The population: one person drawn from published distributions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np


class Sex(StrEnum):
    """Sex, as far as the size of bones goes."""

    FEMALE = "F"
    MALE = "M"


@dataclass(frozen=True)
class Person:
    """What is drawn once for both hips of a person.

    Means and spreads: head diameter 48.5 (2.5) mm in men and 43 (2.3) mm in women (CT and MR, textbook
    values, not checked against one source); neck-shaft angle 126 (6) degrees (between Carmona's 124.7 and
    Toogood's 129.2, CORR 2009, PMC2650061); femoral version 13 (8) degrees (PMC4775021); femoral offset 42.9
    (6.8) mm (Carmona); lateral centre-edge angle 25-40 degrees (Ashwell 2016, PMC5883176); joint space at the
    apex 4.2 (0.9) mm (Lequesne, Ann Rheum Dis 2004;63:1145). Tails beyond 1.8 standard deviations are not
    drawn.

    Attributes
    ----------
    sex : Sex
    head_diameter_mm, neck_shaft_angle_degree, version_degree, offset_mm, centre_edge_angle_degree,
    joint_space_mm : float
        Means of both sides; each side varies a little.
    hip_distance_mm : float
        Between the centres of both heads.
    fat_mm : float
        Subcutaneous fat over the greater trochanter.
    muscle_bulk : float
        Factor on the thickness of muscles.
    red_marrow : float
        0..1, red marrow of neck, intertrochanteric region and pelvis.
    """

    sex: Sex
    head_diameter_mm: float
    neck_shaft_angle_degree: float
    version_degree: float
    offset_mm: float
    centre_edge_angle_degree: float
    joint_space_mm: float
    hip_distance_mm: float
    fat_mm: float
    muscle_bulk: float
    red_marrow: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Person:
        """Draw a person."""
        male = bool(rng.random() < 0.55)
        diameter = within(rng, 48.5, 2.5) if male else within(rng, 43.0, 2.3)
        scale = diameter / 46.0
        return cls(
            sex=Sex.MALE if male else Sex.FEMALE,
            head_diameter_mm=diameter,
            neck_shaft_angle_degree=within(rng, 126.0, 5.0),
            version_degree=within(rng, 12.0 if male else 15.0, 6.0),
            offset_mm=within(rng, 42.9, 4.0) * scale,
            centre_edge_angle_degree=float(rng.uniform(26.0, 38.0)),
            joint_space_mm=within(rng, 4.2, 0.5),
            hip_distance_mm=within(rng, 176.0 if male else 180.0, 6.0),
            fat_mm=float(rng.uniform(12.0, 24.0) if male else rng.uniform(20.0, 38.0)),
            muscle_bulk=within(rng, 1.03 if male else 0.95, 0.05),
            red_marrow=float(rng.uniform(0.15, 0.45) if male else rng.uniform(0.25, 0.6)),
        )


def within(rng: np.random.Generator, mean: float, deviation: float) -> float:
    """Draw from a normal distribution cut at 1.8 standard deviations."""
    while True:
        value = rng.standard_normal()
        if abs(value) <= 1.8:
            return float(mean + deviation * value)
