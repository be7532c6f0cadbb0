"""One DICOM file's header: who, which series, and where each of its frames lies. Pixels are not read.

Single-frame files and enhanced multi-frame files give the same `Frame` values, so that nothing after this
module needs to know which of the two a frame came from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom._uid_dict import UID_dictionary
from pydicom.multival import MultiValue
from pydicom.uid import UID

from toh_mri.core.errors import InputError
from toh_mri.core.study import Acquisition
from toh_mri.geometry import read_only
from toh_mri.io.acquisition import Getter, codes, make_acquisition, number, numbers, text
from toh_mri.io.dicom.elements import Elements
from toh_mri.io.dicom.file import PixelPlace, read_header_data, uid_of
from toh_mri.io.dicom.functional_groups import FrameGroups, functional_groups
from toh_mri.io.dicom.scaling import PHILIPS_SCALE_SLOPE, Scaling, philips_scale_slope, scaling_of
from toh_mri.io.files.opening import open_binary
from toh_mri.io.roles.image_type import TELLING

_ACQUISITION_KEYWORDS = (
    "Modality", "Manufacturer", "MagneticFieldStrength", "RepetitionTime", "EchoTime", "InversionTime", "FlipAngle",
    "EchoTrainLength", "ScanningSequence", "SequenceVariant", "ScanOptions", "ImageType", "MRAcquisitionType",
    "ContrastBolusAgent", "SliceThickness", "BodyPartExamined", "Laterality", "ImageLaterality",
)  # fmt: skip
_GRID_OF_MOSAIC = (0x0019100A, 0x00651050)  # Siemens, United Imaging: images in one picture
_MOST_FRAMES = 100_000
_FARTHEST_MM = 1e5  # nothing in a scanner lies 100 m from its centre


class FrameKind(NamedTuple):
    """What sets images of one series apart besides their place.

    Attributes
    ----------
    shows : frozenset of str
        Values of ImageType that change what an image shows: phase, water, a map, a screenshot.
    echo_time_ms, b_value, time_point : float or None
    stack : str or None
    """

    shows: frozenset[str]
    echo_time_ms: float | None
    b_value: float | None
    time_point: float | None
    stack: str | None


class FrameNumbers(NamedTuple):
    """Numbers that may tell images of one place apart; never used where positions alone make a stack."""

    echo: float | None
    acquisition: float | None
    trigger_ms: float | None
    instance: float | None


@dataclass(frozen=True, eq=False)
class Frame:
    """One image plane.

    Attributes
    ----------
    path : Path
    number : int
        Index of the frame in its file, from 0.
    instance : str
        SOP instance UID of the file.
    rows, columns : int
    pixels : PixelPlace or None
        Of the file; None where it holds no pixels.
    position : ndarray of float64, shape (3,), or None
        Centre of the first voxel, LPS mm.
    orientation : ndarray of float64, shape (2, 3), or None
        Unit vectors along which the column index and the row index grow (DICOM's row and column cosines).
    pixel_mm : tuple of 2 float, or None
        Distance between rows, between columns.
    scaling : Scaling
        From stored values to signal.
    acquisition : Acquisition
    kind : FrameKind
    numbers : FrameNumbers
    claimed_spacing_mm : float or None
        SpacingBetweenSlices: never used as the spacing, which is the distance of positions.
    is_picture : bool
        In colour, or with grey values inverted: no signal.
    described_frames : int
        Number of frames that the file describes; another one than the pixels hold is an error.
    """

    path: Path
    number: int
    instance: str
    rows: int
    columns: int
    pixels: PixelPlace | None
    position: NDArray[np.float64] | None
    orientation: NDArray[np.float64] | None
    pixel_mm: tuple[float, float] | None
    scaling: Scaling
    acquisition: Acquisition
    kind: FrameKind
    numbers: FrameNumbers
    claimed_spacing_mm: float | None
    is_picture: bool
    described_frames: int

    @property
    def normal(self) -> NDArray[np.float64] | None:
        """Slice normal in LPS, a unit vector of shape (3,)."""
        return None if self.orientation is None else np.cross(self.orientation[0], self.orientation[1])


@dataclass(frozen=True)
class DicomHeader:
    """What one DICOM file says. `frames` is empty for objects that are no images."""

    path: Path
    sop_class: UID
    instance: str
    study: str | None = field(repr=False)
    frame_of_reference: str
    series: str
    series_number: int
    patient: str | None = field(repr=False)
    date: str | None = field(repr=False)
    description: str = field(repr=False)
    words: str = field(repr=False)
    burned_in: bool
    frames: tuple[Frame, ...]
    acquisition: Acquisition

    @property
    def class_name(self) -> str:
        """What DICOM calls this kind of object; never what a broken file says."""
        return self.sop_class.name if self.sop_class in UID_dictionary else "unknown object"


def read_header(path: Path) -> DicomHeader:
    """Read one header. Call it behind `foreign_errors`: a broken file may raise anything."""
    with open_binary(path) as stream:
        get, pixels = read_header_data(stream)
    sop_class = text(get("SOPClassUID")) or text(get.meta("MediaStorageSOPClassUID"))
    if sop_class is None:
        raise InputError("unreadable_dicom", "It holds no DICOM object.")
    frames = tuple(_frames(path, get, pixels))
    words = _words(get)
    return DicomHeader(
        path=path,
        sop_class=uid_of(sop_class),
        instance=text(get("SOPInstanceUID")) or "",
        study=text(get("StudyInstanceUID")),
        frame_of_reference=text(get("FrameOfReferenceUID")) or "",
        series=text(get("SeriesInstanceUID")) or "",
        series_number=int(number(get("SeriesNumber")) or 0),
        patient=text(get("PatientID")),
        date=_date(text(get("StudyDate"))),
        description=words[0] if words else "",
        words=" ".join(words),
        burned_in=codes(get("BurnedInAnnotation")) == ("YES",),
        frames=frames,
        acquisition=frames[0].acquisition if frames else _acquisition(get),
    )


def _words(get: Elements) -> list[str]:
    """Return what the series is called, then what its protocol and its sequence are called."""
    description, protocol = text(get("SeriesDescription")), text(get("ProtocolName"))
    if description and (text(get("Manufacturer")) or "").upper().startswith("GE"):
        protocol = None  # there it is the name of the whole exam
    sequence = text(get("SequenceName")) or text(get("PulseSequenceName"))
    return [word for word in (description, protocol, sequence) if word]


def _date(value: str | None) -> str | None:
    if value is None or len(value) != 8 or not value.isdigit():
        return None
    try:
        return date.fromisoformat(f"{value[:4]}-{value[4:6]}-{value[6:]}").isoformat()
    except ValueError:
        return None


def _frames(path: Path, elements: Elements, pixels: PixelPlace | None) -> Iterator[Frame]:
    if not number(elements("Rows")) or not number(elements("Columns")):
        return
    groups = functional_groups(elements) or [_single_frame(elements)]
    for index, group in enumerate(groups[:_MOST_FRAMES]):
        yield _frame(path, index, elements, group, pixels, len(groups))


def _single_frame(elements: Elements) -> FrameGroups:
    """Return what a single-frame object holds elsewhere than at its top level."""
    is_philips = str(elements("Manufacturer")).lower().startswith("philips")
    group: FrameGroups = {PHILIPS_SCALE_SLOPE: philips_scale_slope(elements) if is_philips else None}
    for item in elements.items("RealWorldValueMappingSequence")[:1]:
        group |= {name: item(name) for name in ("RealWorldValueSlope", "RealWorldValueIntercept")}
    return group


def _frame(
    path: Path, index: int, elements: Elements, group: FrameGroups, pixels: PixelPlace | None, count: int
) -> Frame:
    def get(keyword: str) -> object:
        value = group.get(keyword)
        return elements(keyword) if value is None else value

    acquisition = _acquisition(get)
    pixel = numbers(get("PixelSpacing"), 2)
    position = numbers(get("ImagePositionPatient"), 3)
    return Frame(
        path=path,
        number=index,
        instance=text(get("SOPInstanceUID")) or "",
        rows=int(number(get("Rows")) or 0),
        columns=int(number(get("Columns")) or 0),
        pixels=pixels,
        position=None if position is None or max(map(abs, position)) > _FARTHEST_MM else np.array(position),
        orientation=_orientation(numbers(get("ImageOrientationPatient"), 6)),
        pixel_mm=(pixel[0], pixel[1]) if pixel is not None and min(pixel) > 0 else None,
        scaling=scaling_of(get, number(group.get(PHILIPS_SCALE_SLOPE))),
        acquisition=acquisition,
        kind=FrameKind(
            shows=_shows(acquisition, elements, get),
            echo_time_ms=acquisition.echo_time_ms,
            b_value=number(get("DiffusionBValue")),
            time_point=number(get("TemporalPositionIdentifier")),
            stack=text(get("StackID")),
        ),
        numbers=FrameNumbers(
            echo=number(get("EchoNumbers")),
            acquisition=number(get("AcquisitionNumber")),
            trigger_ms=number(get("TriggerTime")),
            # The frames of one file share its number; among themselves they are in order.
            instance=number(get("InstanceNumber")) if count == 1 else float(index),
        ),
        claimed_spacing_mm=number(get("SpacingBetweenSlices")),
        is_picture=number(get("SamplesPerPixel")) not in {None, 1}
        or "MONOCHROME1" in codes(get("PhotometricInterpretation")),
        described_frames=count,
    )


def _shows(acquisition: Acquisition, elements: Elements, get: Getter) -> frozenset[str]:
    found = {value for value in (*acquisition.image_type, *codes([get("ComplexImageComponent")])) if value in TELLING}
    if any((number(elements.at(tag)) or 1) > 1 for tag in _GRID_OF_MOSAIC):
        found.add("MOSAIC")
    return frozenset(found)


def _acquisition(get: Getter) -> Acquisition:
    return _made_acquisition(tuple(_frozen(get(keyword)) for keyword in _ACQUISITION_KEYWORDS))


@lru_cache(maxsize=4096)
def _made_acquisition(values: tuple[object, ...]) -> Acquisition:
    """Return the acquisition of these values: the frames of a series share it."""
    return make_acquisition(dict(zip(_ACQUISITION_KEYWORDS, values, strict=True)).get)


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, (list, MultiValue)) else value


@lru_cache(maxsize=4096)
def _orientation(cosines: tuple[float, ...] | None) -> NDArray[np.float64] | None:
    """Return unit row and column vectors, read-only; None where they are missing, zero or parallel."""
    if cosines is None:
        return None
    pair = np.array(cosines).reshape(2, 3)
    lengths = np.linalg.norm(pair, axis=1)
    if np.abs(lengths - 1.0).max() > 0.01 or abs(float(pair[0] @ pair[1])) > 0.5:
        return None
    return read_only(pair / lengths[:, None])
