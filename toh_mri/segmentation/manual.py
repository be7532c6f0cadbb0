"""The back end ``manual``: anatomy from a person's label image."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from toh_mri.core.config.segmentation import SegmentationConfig
from toh_mri.core.errors import GeometryError, SegmentationError
from toh_mri.core.hip import Anatomy, Check, HipImages, HipLocation, Label, Status
from toh_mri.core.study import AlignedStudy
from toh_mri.geometry import Grid, Image, Side, Sphere, fit_sphere
from toh_mri.geometry.shapes import as_point
from toh_mri.segmentation.drawn import drawn_slice, drawn_surface
from toh_mri.segmentation.masks import marrow_image
from toh_mri.segmentation.planes import head_neck_plane, intertrochanteric_plane

_LEAST_HEAD_ML = 5.0  # a head of 17 mm radius, the smallest searched, has 20 ml; half drawn is still a head
_LEAST_HEAD_MM2 = 150.0
_LARGEST_SHARE_OUTSIDE = 0.1
_PART_OF_LARGEST = 0.2  # smaller pieces are slips of the brush
_NECK_TELLS_MM = 5.0
_HINT = "Labels are 1 head, 2 neck, 3 rest of the femur, 4 acetabulum, in the patient space of the reference series."


@dataclass(frozen=True, eq=False)
class _DrawnHead:
    side: Side
    points: NDArray[np.float64]
    """LPS mm of the voxels, shape (n, 3)."""


class Manual:
    """Takes head, neck, rest of the femur and acetabulum as a person drew them."""

    def locate(
        self,
        study: AlignedStudy,
        config: SegmentationConfig,  # noqa: ARG002 - the protocol's
        labels: Image | None,
    ) -> tuple[HipLocation, ...]:
        """Return the hips whose heads are drawn; nothing is searched.

        Raises
        ------
        SegmentationError
            ``anatomy_missing``, ``anatomy_labels``, ``anatomy_empty``, ``anatomy_several_heads``, ``anatomy_side``;
            ``anatomy_elsewhere`` if the heads lie outside every series.
        """
        heads = _heads(_checked(labels))
        located = []
        for head in sorted(heads, key=lambda item: item.side is Side.LEFT):
            centre = head.points.mean(axis=0)
            shown = [item for item in study.series if item.grid_in_frame.contains(centre)]
            if not shown:
                raise _elsewhere(f"The {head.side.value} head of the label image lies outside every series.")
            flat = all(item.series.image.grid.shape[0] == 1 for item in shown)
            reach = float(np.percentile(np.linalg.norm(head.points - centre, axis=1), 95))
            sphere = Sphere(as_point(centre), max(reach, 1.0))
            located.append(HipLocation(head.side, sphere, 1.0, 1.0, 2 if flat else 3))
        return tuple(located)

    def segment(
        self,
        images: HipImages,
        config: SegmentationConfig,  # noqa: ARG002 - the protocol's
        labels: Image | None,
    ) -> Anatomy:
        """Fit the head's sphere to the drawing, and derive axis and planes from it as for a traced femur.

        Raises
        ------
        SegmentationError
            As `locate`; ``anatomy_elsewhere`` if part of the head lies outside the reference series;
            ``anatomy_no_axis`` if no neck is drawn in a volume; ``anatomy_not_round`` if no sphere fits the head.
        """
        drawn = _checked(labels)
        head = next((item for item in _heads(drawn) if item.side is images.side), None)
        if head is None:
            raise SegmentationError("anatomy_side", f"The label image holds no {images.side.value} head.", _HINT)
        grid = images.reference_series.image.grid
        outside = float((~grid.contains(head.points)).mean())
        if outside > _LARGEST_SHARE_OUTSIDE:
            raise _elsewhere(
                f"{outside:.0%} of the drawn {images.side.value} head lie outside {images.reference}, "
                "the reference series."
            )
        own = _resampled(drawn, grid)
        checks = (*images.location.checks, _check(drawn))
        try:
            return _slice(images, own, checks) if images.location.dimensionality == 2 else _volume(images, own, checks)
        except GeometryError:
            raise SegmentationError(
                "anatomy_not_round", f"No sphere fits the drawn {images.side.value} head.", "Draw the whole head."
            ) from None


def _volume(images: HipImages, labels: Image, checks: tuple[Check, ...]) -> Anatomy:
    head = fit_sphere(_outline(labels))
    surface = drawn_surface(labels, head, images.side)
    head_neck, _ = head_neck_plane(surface)
    intertrochanteric, _ = intertrochanteric_plane(surface)
    femur = np.isin(labels.array, [label.code for label in Label if label is not Label.ACETABULUM])
    return Anatomy(
        side=images.side,
        dimensionality=3,
        labels=labels,
        marrow=labels.with_array(np.asarray(marrow_image(surface, labels.grid).array) & femur),
        head=head,
        neck_axis=as_point(surface.frame.axis),
        head_neck_plane=head_neck,
        intertrochanteric_plane=intertrochanteric,
        surface=surface.frame.surface(surface.bone_mm),
        confidence=1.0,
        checks=checks,
    )


def _slice(images: HipImages, labels: Image, checks: tuple[Check, ...]) -> Anatomy:
    circle, contour, marrow = drawn_slice(labels, _outline(labels))
    return Anatomy(
        side=images.side,
        dimensionality=2,
        labels=labels,
        marrow=marrow,
        head=circle,
        neck_axis=None,
        head_neck_plane=None,
        intertrochanteric_plane=None,
        surface=contour[None],
        confidence=1.0,
        checks=checks,
    )


def _checked(labels: Image | None) -> Image:
    if labels is None:
        raise SegmentationError(
            "anatomy_missing", "The segmenter 'manual' needs a label image.", "Give it with --anatomy FILE. " + _HINT
        )
    values = np.unique(np.asarray(labels.array))
    wrong = [f"{value:g}" for value in values if value not in (0, *(label.code for label in Label))]
    if wrong:
        raise SegmentationError("anatomy_labels", f"The label image holds the values {', '.join(wrong[:5])}.", _HINT)
    return labels.with_array(np.asarray(labels.array).astype(np.uint8))


def _heads(labels: Image) -> list[_DrawnHead]:
    """Return the drawn heads, each with its side."""
    pieces, count = ndimage.label(np.asarray(labels.array) == Label.FEMORAL_HEAD.code)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
    flat = labels.grid.shape[0] == 1
    unit = float(np.prod(labels.grid.spacing_mm[1:])) if flat else labels.grid.voxel_volume_ml
    least = (_LEAST_HEAD_MM2 if flat else _LEAST_HEAD_ML) / unit
    large = [n + 1 for n, size in enumerate(sizes) if size >= max(least, _PART_OF_LARGEST * sizes.max())]
    if not large:
        raise SegmentationError("anatomy_empty", "No femoral head is drawn in the label image.", _HINT)
    neck = labels.grid.to_world(np.argwhere(np.asarray(labels.array) == Label.FEMORAL_NECK.code))
    heads = [_with_side(labels.grid.to_world(np.argwhere(pieces == n)), neck) for n in large]
    if len({head.side for head in heads}) < len(heads):
        raise SegmentationError(
            "anatomy_several_heads", "The label image holds two heads of one side.", "Draw one head a side."
        )
    return heads


def _with_side(points: NDArray[np.float64], neck: NDArray[np.float64]) -> _DrawnHead:
    """Return a head's side: where its neck leaves it; without a neck, where it lies in the patient."""
    centre = points.mean(axis=0)
    near = neck[np.linalg.norm(neck - centre, axis=1) < 80.0] if len(neck) else neck
    along = float(near[:, 0].mean() - centre[0]) if len(near) else 0.0
    if abs(along) > _NECK_TELLS_MM:
        return _DrawnHead(Side.LEFT if along > 0 else Side.RIGHT, points)
    return _DrawnHead(Side.LEFT if centre[0] > 0 else Side.RIGHT, points)


def _resampled(labels: Image, grid: Grid) -> Image:
    """Return the labels on the reference's cropped grid, each voxel as the nearest one of the drawing."""
    index = labels.grid.nearest(grid.voxel_centres())
    inside = ((index >= 0) & (index < labels.grid.shape)).all(axis=-1)
    values = np.zeros(grid.shape, np.uint8)
    values[inside] = np.asarray(labels.array)[tuple(index[inside].T)]
    return Image(values, grid)


def _outline(labels: Image) -> NDArray[np.float64]:
    """Return the middles of voxel faces in the slices' plane between the head and what is no femur, LPS mm, (n, 3)."""
    array = np.asarray(labels.array)
    head = array == Label.FEMORAL_HEAD.code
    other = ~np.isin(array, [Label.FEMORAL_HEAD.code, Label.FEMORAL_NECK.code, Label.PROXIMAL_FEMUR.code])
    places = []
    for axis in (1, 2):
        half = np.eye(3)[axis] / 2
        count = array.shape[axis]
        before, after = range(count - 1), range(1, count)
        for inner, outer in ((before, after), (after, before)):
            border = np.take(head, inner, axis=axis) & np.take(other, outer, axis=axis)
            places.append(np.argwhere(border) + half)
    return labels.grid.to_world(np.concatenate(places))


def _check(labels: Image) -> Check:
    digest = hashlib.sha256(np.asarray(labels.array).tobytes() + labels.grid.affine.tobytes()).hexdigest()[:12]
    return Check(
        code="manual",
        status=Status.OK,
        value=None,
        message=f"Anatomy was drawn by a person (label image, SHA-256 {digest}); its confidence is 1 by convention.",
    )


def _elsewhere(message: str) -> SegmentationError:
    return SegmentationError("anatomy_elsewhere", message, "Is it the label image of another study? " + _HINT)
