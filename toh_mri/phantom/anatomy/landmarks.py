"""Centre, axis and cut planes of a femur, measured on its surface by the rules of the project's design."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from toh_mri.geometry import Plane, Sphere, fit_sphere
from toh_mri.phantom.anatomy.femur import Femur
from toh_mri.phantom.noise import Warp
from toh_mri.phantom.points import Field, Points

Surface = Callable[[NDArray[np.float64]], Field]

_LEAVES_MM = 1.0  # the head ends where bone leaves the sphere by more than this
_FLARE_MM = 2.0  # the upper wall flares where it has risen this far above its lowest point (author's choice)


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Landmarks in the frame of the hip.

    Attributes
    ----------
    head : Sphere
        Fitted to the articular part of the outer surface.
    neck_axis : ndarray of float64, shape (3,)
        From the head's centre through the centroids of the neck's sections, 0.9-1.4 radii away.
    head_neck_mm : float
        Distance of the head-neck plane from the head's centre along the axis.
    intertrochanteric : Plane
        Through the notch of the upper wall and the upper edge of the lesser trochanter, parallel to the femur's
        front-back axis; normal along the neck, away from the head.
    """

    head: Sphere
    neck_axis: NDArray[np.float64]
    head_neck_mm: float
    intertrochanteric: Plane

    @property
    def head_neck_plane(self) -> Plane:
        """The plane that ends the head, normal along the neck axis."""
        return Plane.through(np.add(self.head.center, self.head_neck_mm * self.neck_axis), self.neck_axis)


def find_landmarks(femur: Femur, warp: Warp) -> Landmarks:
    """Measure the landmarks of a femur whose shape is seen through a warp.

    They are those of the femur without its collapsed segment and osteophytes: the sphere of a collapsed head is the
    one that what remains of its surface lies on.
    """
    femur = replace(femur, depression=None, osteophytes=())

    def surface(points: NDArray[np.float64]) -> Field:
        return femur.distance(warp(Points.of(points)))

    head = _articular_sphere(femur, surface)
    axis = femur.neck.axis
    for _ in range(3):
        axis = _axis_through_sections(femur, surface, head, axis)
    return Landmarks(head, axis, _junction(femur, surface, head, axis), _intertrochanteric(femur, surface, head, axis))


def _frame(axis: NDArray[np.float64], back: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    up = np.cross(axis, back)
    up /= np.linalg.norm(up)
    return up, np.cross(up, axis)


def _articular_sphere(femur: Femur, surface: Surface) -> Sphere:
    index = np.arange(1500) + 0.5
    z = 1 - 2 * index / len(index)
    angle = np.pi * (1 + 5**0.5) * index
    ring = np.sqrt(1 - z * z)
    rays = np.stack([ring * np.cos(angle), ring * np.sin(angle), z], axis=1)
    rays = rays[(rays @ femur.neck.axis < 0.3) & (rays @ femur.fovea < 0.93)]
    low, high = np.full(len(rays), 0.8 * femur.radius_mm), np.full(len(rays), 1.2 * femur.radius_mm)
    for _ in range(20):
        middle = (low + high) / 2
        inside = surface(rays * middle[:, None]) < 0
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return fit_sphere(rays * low[:, None])


def _axis_through_sections(
    femur: Femur, surface: Surface, head: Sphere, axis: NDArray[np.float64]
) -> NDArray[np.float64]:
    up, across = _frame(axis, femur.neck.across)
    r = head.radius_mm
    u, v = np.meshgrid(np.arange(-1.1 * r, 1.1 * r, 0.6), np.arange(-1.0 * r, 1.0 * r, 0.6), indexing="ij")
    section = u[..., None] * up + v[..., None] * across
    directions = []
    for s in np.linspace(0.9, 1.4, 6) * r:
        points = np.asarray(head.center) + s * axis + section
        inside = surface(points) < 0
        directions.append((points[inside].mean(axis=0) - head.center) / s)
    mean = np.mean(directions, axis=0)
    return np.asarray(mean / np.linalg.norm(mean))


def _junction(femur: Femur, surface: Surface, head: Sphere, axis: NDArray[np.float64]) -> float:
    up, across = _frame(axis, femur.neck.across)
    azimuth = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    polar = np.radians(np.arange(90.0, 15.0, -0.25))
    side = np.cos(azimuth)[:, None] * up + np.sin(azimuth)[:, None] * across
    rays = np.cos(polar)[:, None] * axis + np.sin(polar)[:, None] * side[:, None, :]
    reach = head.radius_mm + _LEAVES_MM
    leaves = surface(np.asarray(head.center) + reach * rays) < 0
    first = polar[np.argmax(leaves, axis=1)]
    return float(np.median(reach * np.cos(first)))


def _intertrochanteric(femur: Femur, surface: Surface, head: Sphere, axis: NDArray[np.float64]) -> Plane:
    notch, lesser = _notch(femur, surface, head, axis), _upper_edge_of_lesser_trochanter(femur, surface)
    normal = np.cross(notch - lesser, femur.front_back)
    return Plane.through(notch, normal * np.sign(normal @ axis))


def _notch(femur: Femur, surface: Surface, head: Sphere, axis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find where the neck's upper wall starts to flare towards the greater trochanter."""
    up, _ = _frame(axis, femur.neck.across)
    r = head.radius_mm
    s, u = np.meshgrid(np.arange(0.85, 2.0, 0.02) * r, np.arange(0.0, 1.6, 0.01) * r, indexing="ij")
    points = np.asarray(head.center) + s[..., None] * axis + u[..., None] * up
    outside = surface(points) > 0
    wall = np.where(outside.any(axis=1), u[0][np.argmax(outside, axis=1)], np.inf)
    lowest = int(np.argmin(wall))
    flares = lowest + int(np.argmax(wall[lowest:] > wall[lowest] + _FLARE_MM))
    return np.asarray(np.asarray(head.center) + s[flares, 0] * axis + wall[flares] * up)


def _upper_edge_of_lesser_trochanter(femur: Femur, surface: Surface) -> NDArray[np.float64]:
    """Find the point of the medial outline, in a view from the front, at the level where the lesser trochanter begins.

    The place of the point along the front-back axis means nothing.
    """
    down = femur.shaft.axis
    back = femur.front_back - (femur.front_back @ down) * down
    back /= np.linalg.norm(back)
    medial = np.cross(down, back)
    medial *= np.sign(-medial[0])
    *tip, radius = femur.lesser_trochanter[-1]
    k = femur.radius_mm / 24.0
    level = femur.shaft.origin + (down @ np.subtract(tip, femur.shaft.origin) - radius) * down
    out, deep = np.arange(0.0, 45.0, 0.25) * k, np.arange(-30.0, 36.0, 2.0) * k
    shadow = (surface(level + out[:, None, None] * medial + deep[:, None] * back) < 0).any(axis=1)
    return np.asarray(level + out[int(np.argmin(shadow))] * medial)
