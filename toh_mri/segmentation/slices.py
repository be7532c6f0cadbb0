"""One hip's anatomy in a single slice: head contour, neck where the slice shows one, and what it does not show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from toh_mri.core.config.segmentation import SegmentationConfig
from toh_mri.core.hip import Anatomy, Check, HipImages, Label, Status
from toh_mri.geometry import Grid, Image, Side, Sphere
from toh_mri.geometry.shapes import as_point
from toh_mri.segmentation.confidence import confidence
from toh_mri.segmentation.contour import HeadContour, fill, trace_contour
from toh_mri.segmentation.evidence import Evidence
from toh_mri.segmentation.features import Features, slice_features
from toh_mri.segmentation.neck2d import NeckWalls, is_coronal, trace_neck
from toh_mri.segmentation.plausibility import coverage_check, doubt_checks, shape_checks, support_share

SLICE_STEP_MM = 0.6
"""Step of the grid single slices are traced on, mm."""

_CORTEX_MM = 1.5
# Two slices of one hip need not show the same place: a head found in each on its own, further apart than the contour
# is sure of (2 mm) and no further than a head moves between slices, is brought over the reference's first.
_SAME_PLACE_MM, _SAME_HEAD_MM = 2.0, 6.0
_FAINT_WALL = 0.45  # evidence of a wall (real slices)


def slice_anatomy(
    images: HipImages, evidence: tuple[Evidence, ...], config: SegmentationConfig
) -> tuple[Anatomy, Features]:
    """Trace and label what one slice shows of a hip, and judge the trace, refusing nothing.

    Parameters
    ----------
    images : HipImages
        Of a location in 2-D.
    evidence : tuple of Evidence
        Slices in the reference's plane, on a grid of `SLICE_STEP_MM`.
    config : SegmentationConfig

    Returns
    -------
    Anatomy
        Neck, axis and planes only where the slice shows the neck; check ``neck_in_slice`` says so.
    Features
    """
    grid = images.reference_series.image.grid
    cortex = max(_CORTEX_MM, *grid.spacing_mm[1:])
    evidence, gap_mm = over_reference(evidence, images.reference, images.location.sphere, images.side)
    contour = trace_contour(evidence, images.location.sphere, images.side, cortex)
    neck, neck_check = _neck(evidence, contour, images.side)
    coverage = float(grid.contains(contour.points).mean())
    features = slice_features(images, evidence, contour, coverage, cortex)
    support = support_share(contour.support)
    anatomy = Anatomy(
        side=images.side,
        dimensionality=2,
        labels=_labels(contour, neck, grid),
        marrow=_marrow(contour, neck, grid),
        head=contour.circle,
        neck_axis=None if neck is None else as_point(neck.axis),
        head_neck_plane=None if neck is None else neck.head_neck,
        intertrochanteric_plane=None if neck is None else neck.intertrochanteric,
        surface=contour.points[None],
        confidence=confidence(features, 2),
        checks=(
            *images.location.checks,
            *shape_checks(contour.circle.radius_mm, contour.residual_mm, support, config),
            coverage_check(images.reference, coverage, config),
            _same_place_check(gap_mm),
            neck_check,
            *doubt_checks(features.values, config),
        ),
    )
    return anatomy, features


def over_reference(
    evidence: tuple[Evidence, ...], reference: str, start: Sphere, side: Side
) -> tuple[tuple[Evidence, ...], float]:
    """Move slices so that the heads traced in each alone lie over the reference's; return the largest gap too, mm."""
    if len(evidence) == 1:
        return evidence, 0.0
    circles = {item.name: trace_contour((item,), start, side, _CORTEX_MM).circle for item in evidence}
    target = circles.get(reference, circles[evidence[0].name])
    moved, largest = [], 0.0
    for item in evidence:
        gap = np.subtract(target.center, circles[item.name].center)
        length = float(np.linalg.norm(gap))
        largest = max(largest, length)
        moved.append(_shifted(item, gap) if _SAME_PLACE_MM < length <= _SAME_HEAD_MM else item)
    return tuple(moved), largest


def _shifted(item: Evidence, by_mm: NDArray[np.float64]) -> Evidence:
    affine = np.array(item.image.grid.affine)
    affine[:3, 3] += by_mm
    return replace(item, image=Image(item.image.array, Grid(item.image.grid.shape, affine)))


def _neck(evidence: tuple[Evidence, ...], contour: HeadContour, side: Side) -> tuple[NeckWalls | None, Check]:
    """Trace the neck, or say why the slice has none: a rim that goes on where the neck should leave is clearer."""
    if not is_coronal(evidence[0].image.grid.directions[:, 0]):
        message = "The slice is not coronal: it does not show the neck along its length, which is not traced."
        return None, Check(code="neck_in_slice", status=Status.OK, value=None, message=message)
    neck = trace_neck(evidence, contour.circle, side)
    if neck.support <= contour.closing:
        message = (
            f"The slice does not show the neck, only the head is outlined: where the neck would leave, the head's rim "
            f"goes on ({contour.closing:.2f} of a clear edge, the neck's walls {neck.support:.2f})."
        )
        return None, Check(code="neck_in_slice", status=Status.OK, value=neck.support, message=message)
    weak = min(neck.upper_support, neck.lower_support)
    wall = "upper" if neck.upper_support < neck.lower_support else "lower"
    return neck, Check(
        code="neck_in_slice",
        status=Status.OK if weak >= _FAINT_WALL else Status.REVIEW,
        value=weak,
        message=f"The neck's {wall} wall is the fainter one, {weak:.2f} of a clear edge; below {_FAINT_WALL:g} it was "
        "placed by the usual width of a neck and asks for a look.",
    )


def _same_place_check(gap_mm: float) -> Check:
    differ = gap_mm > _SAME_PLACE_MM
    return Check(
        code="slices_differ",
        status=Status.REVIEW if differ else Status.OK,
        value=gap_mm,
        message=f"Traced in each slice alone, the head lies {gap_mm:.1f} mm apart; beyond {_SAME_PLACE_MM:g} mm the "
        f"slices do not show the same place and, up to {_SAME_HEAD_MM:g} mm, are laid over each other at the head.",
    )


def _labels(contour: HeadContour, neck: NeckWalls | None, grid: Grid) -> Image:
    head = np.asarray(fill(contour.points, grid).array)
    labels = np.where(head, np.uint8(Label.FEMORAL_HEAD.code), np.uint8(0))
    if neck is None:
        return Image(labels, grid)
    centres = grid.voxel_centres()
    tube = np.asarray(fill(np.concatenate([neck.upper, neck.lower[::-1]]), grid).array)
    beyond_head = neck.head_neck.signed_distance(centres) >= 0
    beyond_neck = neck.intertrochanteric.signed_distance(centres) >= 0
    labels[beyond_head] = 0  # there the contour only followed the circle across the neck
    labels[tube & beyond_head] = Label.FEMORAL_NECK.code
    labels[tube & beyond_head & beyond_neck] = Label.PROXIMAL_FEMUR.code
    return Image(labels, grid)


def _marrow(contour: HeadContour, neck: NeckWalls | None, grid: Grid) -> Image:
    inside = fill(contour.marrow, grid)
    if neck is None:
        return inside
    tube = fill(np.concatenate([neck.upper_marrow, neck.lower_marrow[::-1]]), grid)
    beyond_head = neck.head_neck.signed_distance(grid.voxel_centres()) >= 0
    return Image(np.where(beyond_head, tube.array, inside.array), grid)
