"""What a DICOM series is, where it is anything but a plain MR series: named, and left out with a reason."""

from __future__ import annotations

from collections.abc import Sequence

from toh_mri.core.study import Exclusion
from toh_mri.io.dicom.header import DicomHeader, Frame
from toh_mri.io.dicom.split import orientation_count
from toh_mri.io.roles.image_type import MAPS, PHASE, PICTURES, REFORMATTED, SUBTRACTIONS
from toh_mri.io.roles.words import names_a_localizer

_LOCALIZER_SLICES = 7
_RADIAL_ORIENTATIONS = 4
# Defined terms of Modality that stand in hospital archives (DICOM PS3.3 C.7.3.1.1.1).
_MODALITIES = frozenset(
    [
        "CT",
        "MR",
        "CR",
        "DX",
        "RF",
        "XA",
        "MG",
        "US",
        "PT",
        "NM",
        "OT",
        "SC",
        "PR",
        "KO",
        "SR",
        "SEG",
        "RTSTRUCT",
        "RTPLAN",
        "RTDOSE",
        "RTIMAGE",
        "REG",
        "DOC",
        "ES",
    ]
)
_MR_CLASSES = frozenset({"MR Image Storage", "Enhanced MR Image Storage", "Legacy Converted Enhanced MR Image Storage"})


def series_kind(headers: Sequence[DicomHeader]) -> Exclusion | None:
    """Return why a whole series is left out for what it is; None for MR images.

    Codes: ``not_an_image``, ``frames_disagree``, ``picture``, ``not_mr``, ``localizer``, ``mosaic``, ``radial``.
    """
    first = headers[0]
    frames = [frame for header in headers for frame in header.frames]
    disagreeing = [header for header in headers if header.claimed_frames not in {None, len(header.frames)}]
    if not frames:
        return Exclusion(code="not_an_image", message=f"It holds no image: {first.class_name}.")
    if disagreeing:
        claimed, described = disagreeing[0].claimed_frames, len(disagreeing[0].frames)
        return Exclusion(
            code="frames_disagree",
            message=f"A file claims to hold {claimed} frames and describes the place of {described}: which is which "
            "cannot be known.",
        )
    if "Secondary Capture" in first.class_name or PICTURES & set(first.acquisition.image_type):
        return Exclusion(code="picture", message="It is a screenshot or a report page.")
    modality = first.acquisition.modality
    if first.class_name not in _MR_CLASSES or modality not in {None, "MR"}:
        named = modality if modality in _MODALITIES else first.class_name
        return Exclusion(code="not_mr", message=f"Its modality is {named}, not MR.")
    return _layout_kind(first, frames)


def _layout_kind(first: DicomHeader, frames: Sequence[Frame]) -> Exclusion | None:
    image_type = set(first.acquisition.image_type)
    if "LOCALIZER" in image_type:
        return Exclusion(code="localizer", message="It is a localizer: ImageType says so.")
    if names_a_localizer(first.words):
        return Exclusion(code="localizer", message="It is a localizer or calibration scan by its name.")
    if "MOSAIC" in image_type or first.mosaic:
        return Exclusion(code="mosaic", message="It is a mosaic: the slices of a time series tiled into one picture.")
    orientations = orientation_count(frames)
    if orientations >= _RADIAL_ORIENTATIONS and len(frames) <= 2 * orientations:
        return Exclusion(
            code="radial",
            message=f"Its {len(frames)} images have {orientations} orientations: they make no volume.",
        )
    if orientations > 1 and len(frames) <= _LOCALIZER_SLICES * orientations:
        return Exclusion(
            code="localizer",
            message=f"It is a localizer: {len(frames)} images in {orientations} orientations in one series.",
        )
    return None


def stack_kind(header: DicomHeader, frame: Frame) -> Exclusion | None:
    """Return why a stack of an MR series is left out for what its frames are; None for ordinary images.

    Codes: ``picture``, ``phase``, ``map``, ``reformatted``, ``echo_planar``, ``diffusion``.
    """
    kinds = set(frame.acquisition.image_type[2:])
    b_value = frame.kind[2]
    if header.colour:
        return Exclusion(code="picture", message="It is a colour picture, not signal.")
    if header.inverted:
        return Exclusion(code="picture", message="Its grey values are inverted (MONOCHROME1), so it is not signal.")
    if kinds & PHASE:
        return Exclusion(code="phase", message="It shows phase or field, not magnitude (ImageType).")
    if kinds & (MAPS | SUBTRACTIONS):
        return Exclusion(code="map", message="It is a computed map (ImageType).")
    if kinds & REFORMATTED:
        return Exclusion(code="reformatted", message="It is a reformatted or projected copy of a series (ImageType).")
    if "EP" in frame.acquisition.scanning_sequence:
        return Exclusion(code="echo_planar", message="It is echo-planar: too distorted to measure bone on.")
    if isinstance(b_value, float) and b_value > 0:
        return Exclusion(code="diffusion", message=f"It is diffusion-weighted (b = {b_value:g} s/mm2).")
    return None
