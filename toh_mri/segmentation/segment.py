"""One hip's anatomy from its images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toh_mri.core.config.segmentation import SegmentationConfig
from toh_mri.core.errors import SegmentationError
from toh_mri.core.hip import Anatomy, HipImages, HipSeries, Status
from toh_mri.geometry import Grid
from toh_mri.geometry.shapes import as_point
from toh_mri.segmentation.acetabulum import acetabular_surface, trace_acetabulum
from toh_mri.segmentation.axis import find_neck_axis
from toh_mri.segmentation.confidence import confidence
from toh_mri.segmentation.evidence import Evidence, in_one_plane, isotropic_grid, prepare
from toh_mri.segmentation.features import Features, volume_features
from toh_mri.segmentation.masks import label_image, marrow_image, with_acetabulum
from toh_mri.segmentation.planes import fallback_checks, head_neck_plane, intertrochanteric_plane
from toh_mri.segmentation.plausibility import coverage_check, doubt_checks, neck_checks, shape_checks, support_share
from toh_mri.segmentation.slices import SLICE_STEP_MM, slice_anatomy
from toh_mri.segmentation.surface import ARTICULAR_ROWS, trace_surface

_STEP_MM = 1.0


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
    anatomy, _ = trace_hip(images, config)
    if anatomy.confidence < config.minimum_confidence:
        doubts = "; ".join(c.message for c in anatomy.checks if c.status is not Status.OK)
        raise SegmentationError(
            "implausible_head",
            f"What was traced in the {images.side.value} hip does not look like a femoral head "
            f"(confidence {anatomy.confidence:.2f}). {doubts}",
            "Look at the overlay; if the head is in view, mark it by hand.",
        )
    return anatomy


def trace_hip(images: HipImages, config: SegmentationConfig) -> tuple[Anatomy, Features]:
    """Trace head and neck and judge the trace, refusing nothing; the features are what its confidence is made of.

    Raises
    ------
    SegmentationError
        ``no_usable_series`` as of `segment_hip`.
    """
    if images.location.dimensionality == 2:
        return slice_anatomy(images, gather_evidence(images), config)
    return _volume_anatomy(images, config)


def _volume_anatomy(images: HipImages, config: SegmentationConfig) -> tuple[Anatomy, Features]:
    evidence = gather_evidence(images)
    axis = find_neck_axis(evidence, images.location.sphere, images.side)
    surface = trace_surface(evidence, images.location.sphere, axis, images.side)
    head_neck, distance = head_neck_plane(surface)
    intertrochanteric, by_proportion = intertrochanteric_plane(surface)
    grid = images.reference_series.image.grid
    labels, marrow = label_image(surface, grid, head_neck, intertrochanteric), marrow_image(surface, grid)
    acetabulum, not_found = trace_acetabulum(evidence, surface, images.side)
    if acetabulum is not None:
        labels = with_acetabulum(labels, surface, acetabulum)
    head_support = support_share(surface.support[:ARTICULAR_ROWS])
    neck_support = support_share(surface.support[surface.frame.head_rows :])
    coverage = _coverage(images, surface.frame.surface(surface.bone_mm)[: surface.frame.head_rows])
    features = volume_features(images, evidence, surface, coverage)
    anatomy = Anatomy(
        side=images.side,
        dimensionality=3,
        labels=labels,
        marrow=marrow,
        head=surface.head,
        neck_axis=as_point(surface.frame.axis),
        head_neck_plane=head_neck,
        intertrochanteric_plane=intertrochanteric,
        surface=surface.frame.surface(surface.bone_mm),
        confidence=confidence(features, 3),
        checks=(
            *images.location.checks,
            *shape_checks(surface.head.radius_mm, surface.residual_mm, head_support, config),
            *neck_checks(neck_support, distance / surface.head.radius_mm, config),
            coverage_check(images.reference, coverage, config),
            *doubt_checks(features.values, config),
            *fallback_checks(by_proportion, not_found),
        ),
        acetabular_surface=None if acetabulum is None else acetabular_surface(acetabulum, surface),
    )
    return anatomy, features


def gather_evidence(images: HipImages) -> tuple[Evidence, ...]:
    """Prepare the series that show the rim: stacks, or slices in the reference's plane; coronal where there are any.

    Raises
    ------
    SegmentationError
        ``no_usable_series`` if none of the images shows the head's rim.
    """
    step_mm = SLICE_STEP_MM if images.location.dimensionality == 2 else _STEP_MM
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


def _coverage(images: HipImages, head: NDArray[np.float64]) -> float:
    """Return how much of the head's surface, LPS mm, lies in the reference series' field of view, 0..1."""
    return float(images.reference_series.image.grid.contains(head).mean())
