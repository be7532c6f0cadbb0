"""The whole body of a case: one or two hips with their diseases, and everything around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toh_mri.geometry import Side
from toh_mri.geometry.shapes import as_point
from toh_mri.phantom.anatomy.body import Body
from toh_mri.phantom.anatomy.femur import Femur
from toh_mri.phantom.anatomy.joint import Joint
from toh_mri.phantom.anatomy.landmarks import Landmarks, find_landmarks
from toh_mri.phantom.anatomy.muscles import Muscles
from toh_mri.phantom.anatomy.pelvis import Pelvis
from toh_mri.phantom.course import after
from toh_mri.phantom.disease import Disease, Lesions
from toh_mri.phantom.noise import Texture, Warp
from toh_mri.phantom.person import Person
from toh_mri.phantom.points import Box, Field, Points
from toh_mri.phantom.shapes import bump, limit, ramp
from toh_mri.phantom.streams import stream

PELVIS_CORTEX_MM = 1.1
"""Thickness of the pelvis' cortex."""


@dataclass(frozen=True, eq=False)
class Marrow:
    """What varies inside bone.

    Attributes
    ----------
    red : float
        0..1, level of red marrow away from head and greater trochanter.
    islands, trabeculae : Texture
        Where red marrow collects; density of bone.
    scar : float
        0..1, how dark the physeal scar is.
    scar_warp : Texture
    """

    red: float
    islands: Texture
    trabeculae: Texture
    scar: float
    scar_warp: Texture

    @classmethod
    def draw(cls, person: Person, rng: np.random.Generator) -> Marrow:
        """Draw one side's marrow."""
        return cls(
            red=person.red_marrow,
            islands=Texture.draw(rng, 9.0),
            trabeculae=Texture.draw(rng, 2.6),
            scar=float(rng.uniform(0.15, 0.45)),
            scar_warp=Texture.draw(rng, 12.0),
        )


@dataclass(frozen=True, eq=False)
class Hip:
    """One hip in its own frame, and the way there from LPS."""

    side: Side
    center_x_mm: float
    femur: Femur
    pelvis: Pelvis
    joint: Joint
    muscles: Muscles
    marrow: Marrow
    lesions: Lesions
    warp: Warp
    landmarks: Landmarks

    @classmethod
    def draw(cls, person: Person, side: Side, disease: Disease, seed: int, days: int = 0) -> Hip:
        """Draw one side of a person, some days after the disease was first seen."""
        femur = Femur.draw(person, stream(seed, f"femur/{side}"))
        first = Lesions.draw(disease, femur, stream(seed, f"disease/{side}"))
        lesions = after(first, femur, days, stream(seed, f"course/{side}"))
        worn = replace(person, joint_space_mm=person.joint_space_mm * (1 - lesions.narrowing))
        pelvis = Pelvis.draw(worn, femur.radius_mm, stream(seed, f"pelvis/{side}"))
        warp = Warp.draw(stream(seed, f"warp/{side}"), 0.5, 110.0)
        landmarks = find_landmarks(femur, warp)
        femur = lesions.shape(femur)
        return cls(
            side=side,
            center_x_mm=person.hip_distance_mm / 2,
            femur=femur,
            pelvis=pelvis,
            joint=Joint.draw(worn, femur, pelvis, lesions.fluid_mm),
            muscles=Muscles.draw(femur.radius_mm / 24.0, person.muscle_bulk, stream(seed, f"muscles/{side}")),
            marrow=Marrow.draw(person, stream(seed, f"marrow/{side}")),
            lesions=lesions,
            warp=warp,
            landmarks=landmarks,
        )

    def to_local(self, p: Points) -> Points:
        """Map LPS points to the frame of the hip, in which every hip is a left one."""
        return Points(p.x * np.float32(self.side.lateral_x) - np.float32(self.center_x_mm), p.y, p.z)

    def to_world(self, local: ArrayLike) -> NDArray[np.float64]:
        """Map points of the hip's frame, shape (..., 3), to LPS."""
        points = np.array(local, dtype=np.float64)
        points[..., 0] = (points[..., 0] + self.center_x_mm) * self.side.lateral_x
        return points

    def to_world_direction(self, local: ArrayLike) -> NDArray[np.float64]:
        """Map directions of the hip's frame, shape (..., 3), to LPS."""
        direction = np.array(local, dtype=np.float64)
        direction[..., 0] *= self.side.lateral_x
        return direction

    def to_world_box(self, box: Box) -> Box:
        """Return a box of the hip's frame in LPS."""
        low, high = self.to_world(box.low), self.to_world(box.high)
        return Box(as_point(np.minimum(low, high)), as_point(np.maximum(low, high)))

    def red_marrow(self, p: Points) -> Field:
        """Fraction of red marrow in the femur, 0..1: low in head and greater trochanter."""
        s, r = self.femur.along_neck(p), self.femur.radius_mm
        below = p.minus(self.femur.shaft.origin)
        trochanter = ramp(below.along(self.femur.shaft.up) + 0.6 * below.z, 2.0, 16.0)
        zone = ramp(s, 0.6 * r, 1.15 * r) * (1 - 0.85 * trochanter) * ramp(p.z, -120.0, -70.0)
        level = self.marrow.red * (0.03 + 0.97 * zone)
        return limit(level * (1 + 0.55 * self.marrow.islands(p)), 0, 0.95)

    def bone_density(self, p: Points) -> Field:
        """Factor on the marrow's signal: trabeculae and the physeal scar take some of it."""
        s, r = self.femur.along_neck(p), self.femur.radius_mm
        up = p.along(self.femur.neck.up)
        arc = s - np.float32(0.42 * r) + np.square(up) / np.float32(3.2 * r) + 1.5 * self.marrow.scar_warp(p)
        broken = limit(0.7 + 0.6 * self.marrow.islands(p), 0.1, 1.0)
        scar = self.marrow.scar * broken * bump(arc, 0.0, 0.5) * ramp(np.abs(up), 0.95 * r, 0.6 * r)
        compressive = bump(p.x + 0.25 * p.z, -0.02 * r, 0.28 * r) * ramp(s, 1.4 * r, 0.6 * r)
        return limit(0.95 - 0.09 * self.marrow.trabeculae(p) - 0.09 * compressive - scar, 0.2, 1.0)


@dataclass(frozen=True, eq=False)
class Scene:
    """A person with everything drawn: both hips, whether they are in view or not."""

    person: Person
    body: Body
    hips: Mapping[Side, Hip]

    @classmethod
    def draw(cls, seed: int, diseases: Mapping[Side, Disease], days: Mapping[Side, int] | None = None) -> Scene:
        """Draw a person whose hips have the given diseases, some days after those were first seen."""
        since = days or {}
        person = Person.draw(stream(seed, "person")).shaped(stream(seed, "person/shape"))
        if all(disease is Disease.NORMAL for disease in diseases.values()):
            person = person.reconverted(stream(seed, "person/red marrow"))
        return cls(
            person=person,
            body=Body.draw(person, stream(seed, "body")),
            hips={
                side: Hip.draw(person, side, diseases.get(side, Disease.NORMAL), seed, since.get(side, 0))
                for side in Side
            },
        )
