"""From a drawn label image to the surface that a traced femur has."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from toh_mri.core.errors import SegmentationError
from toh_mri.core.hip import Label
from toh_mri.geometry import Image, Side, Sphere
from toh_mri.geometry.shapes import as_point
from toh_mri.segmentation.lollipop import Lollipop
from toh_mri.segmentation.surface import ARTICULAR_ROWS, FemoralSurface

_SECTIONS = (0.9, 1.4)  # in head radii along the axis: where the neck's cross-sections are taken
_SECTION_COUNT = 5
_AXIS_PASSES = 4
_RAY_STEP_MM = 0.25
_RAY_RADII = 1.6  # how far from its origin a ray may leave the bone
_AZIMUTHS = 180
_CORTEX_MM = 1.5


def drawn_surface(labels: Image, head: Sphere, side: Side) -> FemoralSurface:
    """Return the drawn femur as a height field; rays that do not leave it keep the usual shape.

    Parameters
    ----------
    labels : Image of uint8
    head : Sphere
        Fitted to the drawn head.
    side : Side

    Raises
    ------
    SegmentationError
        ``anatomy_no_axis`` if no femur is drawn where the neck's cross-sections lie.
    """
    femur = _femur(labels)
    frame = Lollipop.around(np.asarray(head.center), head.radius_mm, _neck_axis(femur, head, side))
    bone = _exits(femur, frame.origins, frame.directions, _RAY_RADII * head.radius_mm, frame.prior_mm)
    articular = frame.surface(bone)[:ARTICULAR_ROWS].reshape(-1, 3)
    residual = float(np.sqrt(np.mean(head.signed_distance(articular) ** 2)))
    return FemoralSurface(frame=frame, bone_mm=bone, support=np.ones_like(bone), head=head, residual_mm=residual)


def drawn_slice(labels: Image, outline: NDArray[np.float64]) -> tuple[Sphere, NDArray[np.float64], Image]:
    """Return the circle of a drawn head section, its closed contour in LPS mm and its marrow."""
    normal, down, right = labels.grid.directions.T
    plane = float(labels.grid.centre @ normal)
    flat = np.column_stack([outline @ down, outline @ right])
    solution, *_ = np.linalg.lstsq(np.column_stack([2 * flat, np.ones(len(flat))]), (flat**2).sum(axis=1), rcond=None)
    radius = float(np.sqrt(solution[2] + solution[:2] @ solution[:2]))
    circle = Sphere(as_point(solution[0] * down + solution[1] * right + plane * normal), radius)
    head = np.asarray(labels.array) == Label.FEMORAL_HEAD.code
    angle = np.arange(_AZIMUTHS) * 2 * np.pi / _AZIMUTHS
    rays = np.cos(angle)[:, None] * right + np.sin(angle)[:, None] * down
    centres = np.broadcast_to(np.asarray(circle.center), rays.shape)
    reach = _exits(labels.with_array(head), centres, rays, _RAY_RADII * radius, np.full(_AZIMUTHS, radius))
    depth = ndimage.distance_transform_edt(head, sampling=labels.grid.spacing_mm)
    marrow = depth > max(_CORTEX_MM, *labels.grid.spacing_mm[1:])
    return circle, centres + reach[:, None] * rays, labels.with_array(marrow)


def _femur(labels: Image) -> Image:
    codes = [Label.FEMORAL_HEAD.code, Label.FEMORAL_NECK.code, Label.PROXIMAL_FEMUR.code]
    return labels.with_array(np.isin(labels.array, codes))


def _neck_axis(femur: Image, head: Sphere, side: Side) -> NDArray[np.float64]:
    """Return the direction from the head's centre to the middle of the neck's cross-sections, 0.9-1.4 radii away."""
    points = femur.grid.to_world(np.argwhere(np.asarray(femur.array))) - np.asarray(head.center)
    axis = side.usual_neck_axis
    borders = np.linspace(*_SECTIONS, _SECTION_COUNT + 1) * head.radius_mm
    for _ in range(_AXIS_PASSES):
        along = points @ axis
        across = np.linalg.norm(points - along[:, None] * axis, axis=1)
        near = across < 1.2 * head.radius_mm
        parts = [points[near & (along >= a) & (along < b)] for a, b in pairwise(borders)]
        middles = [part.mean(axis=0) for part in parts if len(part)]
        if len(middles) < _SECTION_COUNT:
            raise SegmentationError(
                "anatomy_no_axis",
                "No femoral neck is drawn beyond the head, so that neither axis nor planes can be derived.",
                "Draw the neck (label 2) and what follows it (label 3) as well.",
            )
        middle = np.mean(middles, axis=0)
        axis = middle / np.linalg.norm(middle)
    return np.asarray(axis)


def _exits(
    mask: Image,
    origins: NDArray[np.float64],
    directions: NDArray[np.float64],
    reach_mm: float,
    otherwise: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return how far along each ray the mask ends, mm; `otherwise` where it starts outside or does not end."""
    distance = np.arange(0.0, reach_mm, _RAY_STEP_MM)
    shares = mask.with_array(np.asarray(mask.array, dtype=np.float32)).sample(
        origins[..., None, :] + distance[:, None] * directions[..., None, :], outside=0.0
    )
    outside = shares < 0.5
    first = outside.argmax(axis=-1)
    ends = (first > 0) & outside.any(axis=-1)
    return np.where(ends, distance[first] - _RAY_STEP_MM / 2, otherwise)
