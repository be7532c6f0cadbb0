"""One DICOM file's header: who, which series, and where each of its frames lies. Pixels are not read.

Single-frame files and enhanced multi-frame files give the same `Frame` values, so that nothing after this
module needs to know which of the two a frame came from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import UID

from toh_mri.core.errors import InputError
from toh_mri.core.study import Acquisition
from toh_mri.io.acquisition import Getter, codes, make_acquisition, number, numbers, text
from toh_mri.io.dicom_functional_groups import FrameGroups, functional_groups

_FILE_TAGS = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber", "PatientID",
    "StudyDate",
    "SeriesDescription", "ProtocolName", "SequenceName", "PulseSequenceName", "BurnedInAnnotation",
    "SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns", "NumberOfFrames",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "EchoPulseSequence",
    "EchoPlanarPulseSequence", "SpectrallySelectedSuppression",
)  # fmt: skip
_FRAME_TAGS = (
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SpacingBetweenSlices", "RescaleSlope",
    "RescaleIntercept", "TemporalPositionIdentifier", "DiffusionBValue", "StackID",
)  # fmt: skip
_ACQUISITION_TAGS = (
    "Modality", "Manufacturer", "MagneticFieldStrength", "RepetitionTime", "EchoTime", "InversionTime",
    "FlipAngle",
    "EchoTrainLength", "ScanningSequence", "SequenceVariant", "ScanOptions", "ImageType", "MRAcquisitionType",
    "ContrastBolusAgent", "SliceThickness", "BodyPartExamined", "Laterality", "ImageLaterality",
)  # fmt: skip
_TAGS = [*_FILE_TAGS, *_FRAME_TAGS, *_ACQUISITION_TAGS]
_MOST_FRAMES = 100_000


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
    position : ndarray of float64, shape (3,), or None
        Centre of the first voxel, LPS mm.
    orientation : ndarray of float64, shape (2, 3), or None
        Unit vectors along which the column index and the row index grow (DICOM's row and column cosines).
    pixel_mm : tuple of 2 float, or None
        Distance between rows, between columns.
    slope, intercept : float
        Signal = stored value * slope + intercept.
    acquisition : Acquisition
    kind : tuple
        Echo, image type, b-value, temporal position, stack: frames of one volume share it.
    """

    path: Path
    number: int
    instance: str
    rows: int
    columns: int
    position: NDArray[np.float64] | None
    orientation: NDArray[np.float64] | None
    pixel_mm: tuple[float, float] | None
    slope: float
    intercept: float
    acquisition: Acquisition
    kind: tuple[object, ...]

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
    series: str
    series_number: int
    patient: str | None = field(repr=False)
    date: str | None = field(repr=False)
    description: str = field(repr=False)
    words: str = field(repr=False)
    burned_in: bool
    colour: bool
    inverted: bool
    frames: tuple[Frame, ...]
    acquisition: Acquisition


def read_header(path: Path) -> DicomHeader:
    """Read one header. Call it behind `foreign_errors`: a broken file may raise anything."""
    dataset = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_TAGS)
    get = _getter(dataset)
    sop_class = text(get("SOPClassUID")) or text(dataset.file_meta.get("MediaStorageSOPClassUID"))
    if sop_class is None:
        raise InputError("unreadable_dicom", "It holds no DICOM object.")
    frames = tuple(_frames(path, dataset))
    sequence = get("SequenceName") or get("PulseSequenceName")
    words = [text(get("SeriesDescription")), text(get("ProtocolName")), text(sequence)]
    interpretation = codes(get("PhotometricInterpretation"))
    return DicomHeader(
        path=path,
        sop_class=UID(sop_class),
        instance=text(get("SOPInstanceUID")) or "",
        study=text(get("StudyInstanceUID")),
        series=text(get("SeriesInstanceUID")) or "",
        series_number=int(number(get("SeriesNumber")) or 0),
        patient=text(get("PatientID")),
        date=_date(text(get("StudyDate"))),
        description=words[0] or words[1] or "",
        words=" ".join(word for word in words if word),
        burned_in=codes(get("BurnedInAnnotation")) == ("YES",),
        colour=(number(get("SamplesPerPixel")) or 1) != 1,
        inverted="MONOCHROME1" in interpretation,
        frames=frames,
        acquisition=frames[0].acquisition if frames else make_acquisition(get),
    )


def _getter(dataset: Dataset) -> Getter:
    """Return a look-up of keywords in which an unparsable value counts as missing."""

    def get(keyword: str) -> object:
        try:
            value: object = dataset.get(keyword)
        except (ValueError, TypeError, AttributeError, NotImplementedError, LookupError, OverflowError):
            return None
        return value

    return get


def _date(value: str | None) -> str | None:
    if value is None or len(value) != 8 or not value.isdigit():
        return None
    return f"{value[:4]}-{value[4:6]}-{value[6:]}"


def _frames(path: Path, dataset: Dataset) -> Iterator[Frame]:
    get = _getter(dataset)
    rows, columns = int(number(get("Rows")) or 0), int(number(get("Columns")) or 0)
    if rows < 1 or columns < 1:
        return
    groups = functional_groups(dataset, _getter)
    if groups is None:
        yield _frame(path, 0, get, rows, columns)
        return
    for index, group in enumerate(groups[:_MOST_FRAMES]):
        yield _frame(path, index, _merged(get, group), rows, columns)


def _merged(get: Getter, group: FrameGroups) -> Getter:
    return lambda keyword: group[keyword] if group.get(keyword) is not None else get(keyword)


def _frame(path: Path, index: int, get: Getter, rows: int, columns: int) -> Frame:
    acquisition = make_acquisition(get)
    pixel = numbers(get("PixelSpacing"), 2)
    slope, intercept = number(get("RescaleSlope")), number(get("RescaleIntercept"))
    position = numbers(get("ImagePositionPatient"), 3)
    return Frame(
        path=path,
        number=index,
        instance=text(get("SOPInstanceUID")) or "",
        rows=rows,
        columns=columns,
        position=None if position is None else np.array(position),
        orientation=_orientation(numbers(get("ImageOrientationPatient"), 6)),
        pixel_mm=(pixel[0], pixel[1]) if pixel is not None and min(pixel) > 0 else None,
        slope=slope or 1.0,
        intercept=intercept or 0.0,
        acquisition=acquisition,
        kind=(
            acquisition.image_type,
            None if acquisition.echo_time_ms is None else round(acquisition.echo_time_ms, 1),
            number(get("DiffusionBValue")),
            number(get("TemporalPositionIdentifier")),
            text(get("StackID")),
        ),
    )


def _orientation(cosines: tuple[float, ...] | None) -> NDArray[np.float64] | None:
    """Return unit row and column vectors; None where they are missing, zero or parallel."""
    if cosines is None:
        return None
    pair = np.array(cosines).reshape(2, 3)
    lengths = np.linalg.norm(pair, axis=1)
    if np.abs(lengths - 1.0).max() > 0.01 or abs(float(pair[0] @ pair[1])) > 0.5:
        return None
    return np.asarray(pair / lengths[:, None])
