"""What lies between femur and socket: cartilage, fluid, capsule, labrum, ligament of the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toh_mri.phantom.anatomy.femur import Femur
from toh_mri.phantom.anatomy.pelvis import Pelvis
from toh_mri.phantom.person import Person
from toh_mri.phantom.points import Field, Points
from toh_mri.phantom.shapes import bump, chain, cut, node, ramp

_CAPSULE_MM = 2.6


@dataclass(frozen=True, eq=False)
class Joint:
    """Soft tissues of the joint, as thicknesses over the bones and as bodies of their own.

    Attributes
    ----------
    femur, pelvis : Femur, Pelvis
    femoral_cartilage_mm, acetabular_cartilage_mm : float
        Thickest part. Textbook values: 1.5-2.5 mm on the head, 2.5-4 mm on both together.
    fluid_mm : float
        Depth of fluid in the recesses of the capsule: about 1 without effusion.
    """

    femur: Femur
    pelvis: Pelvis
    femoral_cartilage_mm: float
    acetabular_cartilage_mm: float
    fluid_mm: float

    @classmethod
    def draw(cls, person: Person, femur: Femur, pelvis: Pelvis, fluid_mm: float) -> Joint:
        """Make the joint of two bones; `fluid_mm` is the depth of the recesses."""
        space = person.joint_space_mm
        return cls(femur, pelvis, 0.50 * space, 0.45 * space, fluid_mm)

    def femoral_cartilage(self, p: Points, femur_distance: Field) -> Field:
        """Signed distance to bone and cartilage of the head together."""
        s, r = self.femur.along_neck(p), self.femur.radius_mm
        above = ramp(p.z, -0.9 * r, 0.4 * r)
        bare = bump(p.minus(r * self.femur.fovea).norm(), 0.0, 0.2 * r)
        thickness = np.float32(self.femoral_cartilage_mm) * (0.55 + 0.45 * above) * (1 - bare)
        return np.asarray(femur_distance - thickness * ramp(s, 0.72 * r, 0.35 * r))

    def acetabular_gap(self, p: Points) -> Field:
        """Signed distance to the space that the acetabulum's cartilage leaves, negative inside it."""
        return np.asarray(p.norm() - np.float32(self.pelvis.socket_mm - self.acetabular_cartilage_mm))

    def fluid(self, p: Points, femur_distance: Field) -> Field:
        """Signed distance to bone and fluid together, inside the capsule and outside the socket."""
        socket = cut(self.pelvis.socket_distance(p), self.pelvis.beyond_rim(p))
        return cut(cut(femur_distance - self._depth(p), self._reach(p), 2.0), -socket)

    def capsule(self, p: Points, femur_distance: Field) -> Field:
        """Signed distance to everything that the capsule encloses, the capsule included."""
        return cut(femur_distance - self._depth(p) - np.float32(_CAPSULE_MM), self._reach(p) - np.float32(3.0), 3.0)

    def labrum(self, p: Points) -> Field:
        """Signed distance to labrum and transverse ligament."""
        out = self.pelvis.beyond_rim(p)
        from_axis = np.sqrt(np.maximum(np.square(p.norm()) - np.square(p.along(self.pelvis.opening)), 0))
        circle = np.float32(np.sqrt(self.pelvis.socket_mm**2 - self.pelvis.rim_mm**2))
        ring = np.sqrt(np.square((from_axis - circle + 0.3 * out) / 1.0) + np.square((out - 2.0) / 1.7))
        return np.asarray(1.7 * (ring - np.float32(1.15)))

    def ligament(self, p: Points) -> Field:
        """Signed distance to the ligament of the head."""
        root: NDArray[np.float64] = self.femur.fovea * (self.femur.radius_mm - 1.5)
        floor = np.array([-0.62, 0.06, -0.78]) * (self.pelvis.socket_mm + 1.0)
        return chain(p, [node(root, 2.2), node(floor, 2.6)])

    def _depth(self, p: Points) -> Field:
        """Depth of fluid over the bone: a film under cartilage, recesses around the neck."""
        s, r = self.femur.along_neck(p), self.femur.radius_mm
        length = np.maximum(p.minus(self.femur.neck.axis * r).norm(), np.float32(1.0))
        front = ramp(-p.y / length, 0.1, 0.8)
        up = p.minus(self.femur.neck.axis * r).along(self.femur.neck.up) / length
        place = 0.30 + 0.70 * front + 0.55 * ramp(-up, 0.3, 0.9) + 0.45 * ramp(up, 0.4, 0.95)
        waist = 1 - 0.45 * bump(s, 1.42 * r, 0.10 * r)  # the zona orbicularis holds the capsule to the neck
        along = ramp(s, 0.55 * r, 1.05 * r) * ramp(s, 1.85 * r, 1.45 * r) * waist
        return np.asarray(np.float32(0.35) + np.float32(self.fluid_mm) * place * along)

    def _reach(self, p: Points) -> Field:
        """Distance beyond the capsule's insertion: the intertrochanteric line in front, mid-neck behind."""
        s, r = self.femur.along_neck(p), self.femur.radius_mm
        behind = ramp(p.along(self.femur.neck.across) / np.float32(r), -0.4, 0.5)
        return np.asarray(s - np.float32(r) * (1.80 - 0.35 * behind))
