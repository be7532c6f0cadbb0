"""The population: one person drawn from published distributions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np


class Sex(StrEnum):
    """Sex, as far as the size of bones goes."""

    FEMALE = "F"
    MALE = "M"


class Shape(StrEnum):
    """Shape of both hips. The values stand in ``truth.json``."""

    COMMON = "common"
    CAM = "cam"
    DYSPLASIA = "dysplasia"
    COXA_VARA = "coxa_vara"


_TAILS = 2.5  # standard deviations of the population's bones that are drawn

# With the spread of the head and of the angle these make the published 6.8 mm.
_OFFSET_SLOPE = 0.45  # mm for each degree
_OFFSET_SPREAD_MM = 5.4
_LEAST_OFFSET = 1.45  # of the head's radius: below it the shaft would leave no neck

# Cam: 25 % of men and 5 % of women have an alpha angle above 50.5 degrees (Hack 2010, J Bone Joint Surg Am
# 92:2436); 15 % of men for the clearer deformity drawn here, and the shares of the others, are the author's choice.
_CAM_SHARE = {Sex.MALE: 0.15, Sex.FEMALE: 0.05}
_DYSPLASIA_SHARE, _COXA_VARA_SHARE = 0.05, 0.02


@dataclass(frozen=True)
class Person:
    """What is drawn once for both hips of a person.

    Means and spreads: head diameter 48.5 (2.5) mm in men and 43 (2.3) mm in women (CT and MR, textbook
    values, not checked against one source); neck-shaft angle 126 (6) degrees (between Carmona's 124.7 and
    Toogood's 129.2, CORR 2009, PMC2650061); femoral version 13 (8) degrees, in women more than in men
    (PMC4775021); femoral offset 42.9 (6.8) mm (Carmona), which grows with the head and is smaller in valgus hips
    (how much: author's choice); lateral centre-edge angle 25-40 degrees (Ashwell 2016, PMC5883176); joint space
    at the apex 4.2 (0.9) mm, 2-7 mm (Lequesne, Ann Rheum Dis 2004;63:1145). Tails beyond 2.5 standard deviations
    of these, and 1.8 of the rest, are not drawn. Other shapes than the common one are `shaped`.

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
    shape : Shape
    cam_mm : float
        How far a cam stands out of the head's sphere; 0 without one.
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
    shape: Shape = Shape.COMMON
    cam_mm: float = 0.0

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Person:
        """Draw a person with hips of the common shape."""
        male = bool(rng.random() < 0.55)
        diameter = within(rng, 48.5, 2.5, _TAILS) if male else within(rng, 43.0, 2.3, _TAILS)
        scale = diameter / 46.0
        angle = within(rng, 126.0, 6.0, _TAILS)
        return cls(
            sex=Sex.MALE if male else Sex.FEMALE,
            head_diameter_mm=diameter,
            neck_shaft_angle_degree=angle,
            version_degree=within(rng, 12.0 if male else 15.0, 8.0, _TAILS),
            offset_mm=max(
                within(rng, 42.9 - _OFFSET_SLOPE * (angle - 126.0), _OFFSET_SPREAD_MM, _TAILS) * scale,
                _LEAST_OFFSET * diameter / 2,
            ),
            centre_edge_angle_degree=float(rng.uniform(26.0, 38.0)),
            joint_space_mm=max(within(rng, 4.2, 0.9, _TAILS), 2.0),
            hip_distance_mm=within(rng, 176.0 if male else 180.0, 6.0),
            fat_mm=float(rng.uniform(12.0, 24.0) if male else rng.uniform(20.0, 38.0)),
            muscle_bulk=within(rng, 1.03 if male else 0.95, 0.05),
            red_marrow=float(rng.uniform(0.15, 0.45) if male else rng.uniform(0.25, 0.6)),
        )

    def shaped(self, rng: np.random.Generator) -> Person:
        """Draw the shape of this person's hips: most keep the common one.

        Cam: a bump in front of and above the head-neck junction, on both sides (in the population most are one-sided).
        Dysplasia: centre-edge angle 12-22 degrees (below 20 dysplasia, 20-25 borderline; Ashwell 2016, PMC5883176),
        with a steeper socket, a valgus neck of 135-142 degrees and 5-12 degrees more version. Coxa vara: a neck-shaft
        angle of 108-115 degrees. All but the limits of the centre-edge angle is the author's choice.
        """
        share = rng.random()
        cam, dysplasia = _CAM_SHARE[self.sex], _CAM_SHARE[self.sex] + _DYSPLASIA_SHARE
        if share < cam:
            return replace(self, shape=Shape.CAM, cam_mm=self.head_diameter_mm / 46.0 * float(rng.uniform(2.5, 4.5)))
        if share < dysplasia:
            angle = float(rng.uniform(135.0, 142.0))
            return replace(
                self,
                shape=Shape.DYSPLASIA,
                neck_shaft_angle_degree=angle,
                offset_mm=self._offset_at(angle),
                version_degree=self.version_degree + float(rng.uniform(5.0, 12.0)),
                centre_edge_angle_degree=float(rng.uniform(12.0, 22.0)),
            )
        if share < dysplasia + _COXA_VARA_SHARE:
            angle = float(rng.uniform(108.0, 115.0))
            return replace(self, shape=Shape.COXA_VARA, neck_shaft_angle_degree=angle, offset_mm=self._offset_at(angle))
        return self

    def reconverted(self, rng: np.random.Generator) -> Person:
        """Draw much red marrow in 1 of 3 persons: normal, though it looks like faint edema (the author's choice)."""
        much, level = rng.random() < 1 / 3, float(rng.uniform(0.6, 0.9))
        return replace(self, red_marrow=level) if much else self

    def _offset_at(self, neck_shaft_angle_degree: float) -> float:
        """Offset of this femur if its neck had another angle."""
        change = _OFFSET_SLOPE * (neck_shaft_angle_degree - self.neck_shaft_angle_degree)
        return max(self.offset_mm - change * self.head_diameter_mm / 46.0, _LEAST_OFFSET * self.head_diameter_mm / 2)


def within(rng: np.random.Generator, mean: float, deviation: float, tails: float = 1.8) -> float:
    """Draw from a normal distribution cut at `tails` standard deviations."""
    while True:
        value = rng.standard_normal()
        if abs(value) <= tails:
            return float(mean + deviation * value)
