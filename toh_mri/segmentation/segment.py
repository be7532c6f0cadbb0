"""One hip's anatomy from its images."""

from __future__ import annotations

import numpy as np

from toh_mri.core.config.segmentation import SegmentationConfig
from toh_mri.core.errors import SegmentationError
from toh_mri.core.hip import Anatomy, Check, HipImages, HipSeries, Label, Status
from toh_mri.geometry import Grid, Image
from toh_mri.geometry.shapes import as_point
from toh_mri.segmentation.axis import find_neck_axis
from toh_mri.segmentation.contour import fill, trace_contour
from toh_mri.segmentation.evidence import Evidence, in_one_plane, isotropic_grid, prepare
from toh_mri.segmentation.masks import label_image, marrow_image
from toh_mri.segmentation.planes import head_neck_plane, intertrochanteric_plane
from toh_mri.segmentation.plausibility import confidence, neck_checks, shape_checks, support_share
from toh_mri.segmentation.surface import ARTICULAR_ROWS, trace_surface

_STEP_MM = 1.0
_STEP_2D_MM = 0.6
_CORTEX_2D_MM = 1.5


def segment_hip(images: HipImages, config: SegmentationConfig) -> Anatomy:
    """Trace head and neck and label them on the reference series' cropped grid.

    Parameters
    ----------
    images : HipImages
    config : SegmentationConfig

    Returns
    -------
    Anatomy
        In the reference series' patient space.

    Raises
    ------
    SegmentationError
        ``implausible_head`` if the confidence is below the failure threshold; ``no_usable_series`` if none of the
        images shows the head's rim.
    """
    trace = _slice_anatomy if images.location.dimensionality == 2 else _volume_anatomy
    anatomy = trace(images, config)
    if anatomy.confidence < config.minimum_confidence:
        doubts = "; ".join(c.message for c in anatomy.checks if c.status is not Status.OK)
        raise SegmentationError(
            "implausible_head",
            f"What was traced in the {images.side.value} hip does not look like a femoral head "
            f"(confidence {anatomy.confidence:.2f}). {doubts}",
            "Look at the overlay; if the head is in view, mark it by hand.",
        )
    return anatomy


def _volume_anatomy(images: HipImages, config: SegmentationConfig) -> Anatomy:
    evidence = _evidence(images, _STEP_MM)
    axis = find_neck_axis(evidence, images.location.sphere, images.side)
    surface = trace_surface(evidence, images.location.sphere, axis, images.side)
    head_neck, distance = head_neck_plane(surface)
    intertrochanteric = intertrochanteric_plane(surface)
    grid = images.reference_series.image.grid
    head_support = support_share(surface.support[:ARTICULAR_ROWS])
    neck_support = support_share(surface.support[surface.frame.head_rows :])
    return Anatomy(
        side=images.side,
        dimensionality=3,
        labels=label_image(surface, grid, head_neck, intertrochanteric),
        marrow=marrow_image(surface, grid),
        head=surface.head,
        neck_axis=as_point(surface.frame.axis),
        head_neck_plane=head_neck,
        intertrochanteric_plane=intertrochanteric,
        surface=surface.frame.surface(surface.bone_mm),
        confidence=confidence(images.location, head_support, surface.residual_mm, config),
        checks=(
            *images.location.checks,
            *shape_checks(surface.head.radius_mm, surface.residual_mm, head_support, config),
            *neck_checks(neck_support, distance / surface.head.radius_mm, config),
            _coverage_check(images, surface.frame.surface(surface.bone_mm)[: surface.frame.head_rows], config),
        ),
    )


def _slice_anatomy(images: HipImages, config: SegmentationConfig) -> Anatomy:
    evidence = _evidence(images, _STEP_2D_MM)
    grid = images.reference_series.image.grid
    cortex = max(_CORTEX_2D_MM, *grid.spacing_mm[1:])
    contour = trace_contour(evidence, images.location.sphere, images.side, cortex)
    head = fill(contour.points, grid)
    support = support_share(contour.support)
    labels = np.where(head.array, np.uint8(Label.FEMORAL_HEAD.code), np.uint8(0))
    return Anatomy(
        side=images.side,
        dimensionality=2,
        labels=Image(labels, grid),
        marrow=fill(contour.marrow, grid),
        head=contour.circle,
        neck_axis=None,
        head_neck_plane=None,
        intertrochanteric_plane=None,
        surface=contour.points[None],
        confidence=confidence(images.location, support, contour.residual_mm, config),
        checks=(
            *images.location.checks,
            *shape_checks(contour.circle.radius_mm, contour.residual_mm, support, config),
            _coverage_check(images, contour.points, config),
        ),
    )


def _evidence(images: HipImages, step_mm: float) -> tuple[Evidence, ...]:
    """Prepare the series that show the rim: stacks, or slices in the reference's plane; coronal where there are any."""
    usable = [s for s in images.series if _shows_rim(s) and _can_be_traced(s, images)]
    if not usable:
        raise SegmentationError(
            "no_usable_series",
            f"No T1-like and no fluid-sensitive series shows the {images.side.value} hip well enough to outline it.",
            "'toh-mri plan' says what each series was taken for; io.roles in the configuration overrides it.",
        )
    coronal = [s for s in usable if s.info.role is not None and s.info.role.plane == "coronal"] or usable
    placed = [(s, s.image_in_reference) for s in coronal]
    target: Grid = isotropic_grid([image.grid for _, image in placed], step_mm)
    return tuple(
        prepare(s.info, image, target, fat_is_bright=s.info.role is not None and s.info.role.contrast.is_t1_like)
        for s, image in placed
    )


def _shows_rim(series: HipSeries) -> bool:
    role = series.info.role
    return role is not None and (role.contrast.is_t1_like or role.contrast.is_fluid_sensitive)


def _can_be_traced(series: HipSeries, images: HipImages) -> bool:
    if images.location.dimensionality == 3:
        return series.image.grid.shape[0] > 1
    return in_one_plane(images.reference_series.image.grid, series.image_in_reference.grid)


def _coverage_check(images: HipImages, head: np.ndarray, config: SegmentationConfig) -> Check:
    """Check how much of the head's surface lies in the reference series' field of view."""
    share = float(images.reference_series.image.grid.contains(head).mean())
    return Check(
        code="head_coverage",
        status=Status.OK if share >= config.minimum_head_coverage else Status.REVIEW,
        value=share,
        message=f"{100 * share:.0f} % of the head's surface lies in the field of view of {images.reference}; "
        f"below {100 * config.minimum_head_coverage:.0f} % the head is cut and its volume is too small.",
    )
