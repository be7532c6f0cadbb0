"""One hip's anatomy, its series brought together around the head first where they disagree about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from toh_mri.core.errors import SegmentationError
from toh_mri.core.hip import Anatomy, Check, HipImages, Status
from toh_mri.geometry import Sphere
from toh_mri.preprocess.align_hip import align_hip

Segment = Callable[[HipImages], Anatomy]


def segment_together(images: HipImages, segment: Segment) -> tuple[HipImages, Anatomy]:
    """Segment a hip; where its series disagree or nothing plausible is found, align them round the head and try again.

    The second anatomy is taken only where its confidence is the higher one: the rim must gain by the alignment. Most
    patients lie still, and pay nothing.

    Parameters
    ----------
    images : HipImages
    segment : callable
        A back end's `segment`.

    Returns
    -------
    HipImages, Anatomy
        The images as they were segmented; a check ``series_moved`` says what was moved.

    Raises
    ------
    SegmentationError
        What the first attempt raised, where the second is no better.
    """
    try:
        first = segment(images)
    except SegmentationError as error:
        second = _second(images, images.location.sphere, segment) if error.code == "implausible_head" else None
        if second is None:
            raise
        return second
    if not any(check.code == "series_disagree" and check.status is not Status.OK for check in first.checks):
        return images, first
    second = _second(images, first.head, segment)
    return second if second and second[1].confidence > first.confidence else (images, first)


def _second(images: HipImages, head: Sphere, segment: Segment) -> tuple[HipImages, Anatomy] | None:
    aligned = align_hip(images, head)
    if aligned is images:
        return None
    try:
        anatomy = segment(aligned)
    except SegmentationError:
        return None
    return aligned, replace(anatomy, checks=(*anatomy.checks, _moved_check(images, aligned)))


def _moved_check(before: HipImages, after: HipImages) -> Check:
    moved = [new for old, new in zip(before.series, after.series, strict=True) if new is not old]
    said = "; ".join(
        f"{item.info.name} by {item.alignment.shift_mm:.1f} mm and {item.alignment.rotation_degree:.1f} degrees"
        for item in moved
    )
    return Check(
        code="series_moved",
        status=Status.REVIEW,
        value=max(item.alignment.shift_mm for item in moved),
        message=f"Moved to agree with {after.reference} around this head: {said}.",
    )
