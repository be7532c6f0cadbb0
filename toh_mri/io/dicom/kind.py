"""What a DICOM series is, where it is anything but a plain MR series: named, and left out with a reason."""

from __future__ import annotations

from collections.abc import Sequence

from toh_mri.core.study import Exclusion
from toh_mri.io.dicom.header import DicomHeader, Frame
from toh_mri.io.dicom.split import orientation_counts
from toh_mri.io.roles.image_type import LAYOUTS, MAPS, PHASE, PICTURES, REFORMATTED, SUBTRACTIONS
from toh_mri.io.roles.words import names_a_localizer

_LOCALIZER_SLICES = 7
_RADIAL_ORIENTATIONS = 4
_OTHER_ORIENTATION = 0.09  # difference of cosines: 5 degrees; less is jitter or one slice turned by hand
# Defined terms of Modality that stand in hospital archives (DICOM PS3.3 C.7.3.1.1.1).
_MODALITIES = frozenset(
    {"CT", "MR", "CR", "DX", "RF", "XA", "MG", "US", "PT", "NM", "OT", "SC", "PR", "KO", "SR", "SEG", "RTSTRUCT",
     "RTPLAN", "RTDOSE", "RTIMAGE", "REG", "DOC", "ES"}
)  # fmt: skip
_MR_CLASSES = frozenset({"MR Image Storage", "Enhanced MR Image Storage", "Legacy Converted Enhanced MR Image Storage"})


def series_kind(headers: Sequence[DicomHeader]) -> Exclusion | None:
    """Return why a whole series is left out for what it is; None for MR images.

    Codes: ``not_an_image``, ``picture``, ``not_mr``, ``localizer``, ``radial``.
    """
    first = headers[0]
    frames = [frame for header in headers for frame in header.frames]
    if not frames:
        return Exclusion(code="not_an_image", message=f"It holds no image: {first.class_name}.")
    if "Secondary Capture" in first.class_name:
        return Exclusion(code="picture", message="It is a screenshot or a report page.")
    modality = first.acquisition.modality
    if first.class_name not in _MR_CLASSES or modality not in {None, "MR"}:
        named = modality if modality in _MODALITIES else first.class_name
        return Exclusion(code="not_mr", message=f"Its modality is {named}, not MR.")
    return _layout_kind([frame for frame in frames if not frame.kind.shows & (PICTURES | LAYOUTS)])


def _layout_kind(frames: Sequence[Frame]) -> Exclusion | None:
    counts = orientation_counts(frames, _OTHER_ORIENTATION)
    if len(counts) >= _RADIAL_ORIENTATIONS and len(frames) <= 2 * len(counts):
        return Exclusion(
            code="radial",
            message=f"Its {len(frames)} images have {len(counts)} orientations: they make no volume.",
        )
    if len(counts) > 1 and counts[-1] <= _LOCALIZER_SLICES:
        return Exclusion(
            code="localizer",
            message=f"It is a localizer: {len(frames)} images in {len(counts)} orientations in one series.",
        )
    return None


def stack_kind(header: DicomHeader, frame: Frame) -> Exclusion | None:
    """Return why a stack of an MR series is left out for what its frames are; None for ordinary images.

    Codes: ``picture``, ``localizer``, ``mosaic``, ``frames_disagree``, ``phase``, ``map``, ``reformatted``,
    ``echo_planar``, ``diffusion``.
    """
    shows = frame.kind.shows
    claimed = None if frame.pixels is None else frame.pixels.frames
    b_value = frame.kind.b_value or 0.0
    reasons = (
        (bool(shows & PICTURES), "picture", "It is a screenshot or a report page."),
        (frame.is_picture, "picture", "It is in colour or its grey values are inverted: a picture, not signal."),
        ("LOCALIZER" in shows, "localizer", "It is a localizer: ImageType says so."),
        (names_a_localizer(header.words), "localizer", "It is a localizer or calibration scan by its name."),
        ("MOSAIC" in shows, "mosaic", "It is a mosaic: the slices of a time series tiled into one picture."),
        (
            claimed not in {None, frame.described_frames},
            "frames_disagree",
            f"A file claims {claimed} frames and describes {frame.described_frames}: which is which cannot be known.",
        ),
        (bool(shows & PHASE), "phase", "It shows phase or field, not magnitude (ImageType)."),
        (bool(shows & (MAPS | SUBTRACTIONS)), "map", "It is a computed map (ImageType)."),
        (bool(shows & REFORMATTED), "reformatted", "It is a reformatted or projected copy of a series (ImageType)."),
        (
            "EP" in frame.acquisition.scanning_sequence,
            "echo_planar",
            "It is echo-planar: too distorted to measure bone on.",
        ),
        (b_value > 0, "diffusion", f"It is diffusion-weighted (b = {b_value:g} s/mm2)."),
    )
    return next((Exclusion(code=code, message=message) for holds, code, message in reasons if holds), None)
