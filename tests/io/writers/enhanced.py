"""Enhanced MR images (DICOM PS3.3 A.36): many frames in one object, described by functional groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from highdicom.legacy import LegacyConvertedEnhancedMRImage
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, EnhancedMRImageStorage, ExplicitVRLittleEndian

from tests.io.writers.classic import STUDY, decimal, uid_of
from tests.io.writers.compressed import ONE_FRAGMENT, Encapsulation, set_pixels
from tests.io.writers.pixel_format import SIGNED_16, PixelFormat
from tests.io.writers.stored_volume import StoredVolume

_DIMENSIONS = ("StackID", "InStackPositionNumber", "EffectiveEchoTime", "TemporalPositionIndex")
_PHILIPS_PRIVATE = "Philips MR Imaging DD 005"
_SIEMENS_PRIVATE = "SIEMENS MR SDI 02"


@dataclass(frozen=True, eq=False)
class EnhancedFrame:
    """One frame; `stored` has shape (rows, columns), lengths are in mm, times in ms."""

    stored: NDArray[np.integer]
    position: NDArray[np.float64]
    cosines: NDArray[np.float64]
    pixel_mm: tuple[float, float]
    thickness_mm: float
    stack: str = "1"
    place: int = 1
    echo_ms: float = 40.0
    temporal: int = 1
    image_type: tuple[str, ...] = ("ORIGINAL", "PRIMARY", "OTHER", "NONE")
    component: str = "MAGNITUDE"
    slope: float | None = None
    intercept: float = 0.0
    real_world: tuple[float, float] | None = None


@dataclass(frozen=True)
class Style:
    """Which groups a vendor shares between frames where they agree, and its private groups."""

    name: str
    manufacturer: str
    shared: frozenset[str]
    private: Callable[[Dataset], None] | None = None


@dataclass(frozen=True)
class EnhancedProtocol:
    """How the frames were acquired; STIR unless said otherwise."""

    repetition_ms: float = 4000.0
    inversion_ms: float | None = 160.0
    flip_degree: float = 150.0
    echo_train: int = 8


ENHANCED_STIR = EnhancedProtocol()


def frames_of(volume: StoredVolume, **values: object) -> list[EnhancedFrame]:
    """Return the slices of a volume as frames, with any further values of `EnhancedFrame`."""
    row, column = volume.spacing_mm[1:]
    return [
        replace(
            EnhancedFrame(stored, position, volume.cosines, (row, column), volume.spacing_mm[0] * 0.9, place=index + 1),
            **values,
        )
        for index, (stored, position) in enumerate(zip(volume.stored, volume.positions, strict=True))
    ]


def enhanced_dataset(
    frames: Sequence[EnhancedFrame],
    style: Style,
    *,
    protocol: EnhancedProtocol = ENHANCED_STIR,
    pixels: PixelFormat = SIGNED_16,
    syntax: UID = ExplicitVRLittleEndian,
    encapsulation: Encapsulation = ONE_FRAGMENT,
) -> Dataset:
    """Return one object with the frames in the order given."""
    stored = np.stack([frame.stored for frame in frames])
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.SOPClassUID = EnhancedMRImageStorage
    data.SOPInstanceUID = uid_of("enhanced", style, stored.tobytes(), [frame.position.tolist() for frame in frames])
    data.SeriesInstanceUID = uid_of(data.SOPInstanceUID, "series")
    data.StudyInstanceUID, data.FrameOfReferenceUID = STUDY, uid_of(STUDY, "frame of reference")
    data.PatientID, data.PatientName, data.Modality = "MRN-77", "Mueller^Anna", "MR"
    data.Manufacturer, data.SeriesNumber, data.InstanceNumber = style.manufacturer, 3, 1
    data.MagneticFieldStrength, data.MRAcquisitionType, data.BodyPartExamined = 1.5, "2D", "HIP"
    data.EchoPulseSequence, data.EchoPlanarPulseSequence = "SPIN", "NO"
    data.ImageType = list(frames[0].image_type)
    data.ComplexImageComponent = frames[0].component if len({f.component for f in frames}) == 1 else "MIXED"
    data.NumberOfFrames = len(frames)
    data.DimensionIndexSequence = [item(DimensionIndexPointer=tag_for_keyword(keyword)) for keyword in _DIMENSIONS]
    _set_groups(data, frames, style, protocol)
    set_pixels(data, stored, pixels, syntax, encapsulation)
    return data


def legacy_converted(classic: Sequence[Dataset]) -> Dataset:
    """Return a legacy converted enhanced object, as highdicom makes it from classic data sets."""
    return LegacyConvertedEnhancedMRImage(
        list(classic),
        series_instance_uid=uid_of(classic[0].SeriesInstanceUID, "legacy"),
        series_number=7,
        sop_instance_uid=uid_of(classic[0].SOPInstanceUID, "legacy"),
        instance_number=1,
    )


def save_enhanced(folder: Path, data: Dataset, name: str = "IM0") -> Path:
    """Write one object."""
    folder.mkdir(parents=True, exist_ok=True)
    data.save_as(folder / name, enforce_file_format=True)
    return folder / name


def item(**values: object) -> Dataset:
    """Return a data set with these attributes."""
    data = Dataset()
    for keyword, value in values.items():
        setattr(data, keyword, value)
    return data


def _set_groups(data: Dataset, frames: Sequence[EnhancedFrame], style: Style, protocol: EnhancedProtocol) -> None:
    groups = [_groups(frame, protocol) for frame in frames]
    indices = _dimension_indices(frames)
    shared, per_frame = Dataset(), [Dataset() for _ in frames]
    for keyword in groups[0]:
        agree = all(group.get(keyword) == groups[0][keyword] for group in groups)
        if agree and keyword in style.shared:
            setattr(shared, keyword, [groups[0][keyword]])
            continue
        for target, group in zip(per_frame, groups, strict=True):
            if keyword in group:
                setattr(target, keyword, [group[keyword]])
    for target, frame, index in zip(per_frame, frames, indices, strict=True):
        target.FrameContentSequence = [
            item(
                StackID=frame.stack,
                InStackPositionNumber=frame.place,
                TemporalPositionIndex=frame.temporal,
                DimensionIndexValues=index,
            )
        ]
        if style.private is not None:
            style.private(target)
    data.SharedFunctionalGroupsSequence = [shared]
    data.PerFrameFunctionalGroupsSequence = per_frame


def _groups(frame: EnhancedFrame, protocol: EnhancedProtocol) -> dict[str, Dataset]:
    modifier = item(InversionRecovery="NO", SpectrallySelectedExcitation="NONE")
    if protocol.inversion_ms is not None:
        modifier.InversionRecovery, modifier.InversionTimes = "YES", [protocol.inversion_ms]
    groups = {
        "PixelMeasuresSequence": item(
            PixelSpacing=[decimal(size) for size in frame.pixel_mm], SliceThickness=decimal(frame.thickness_mm)
        ),
        "PlanePositionSequence": item(ImagePositionPatient=[decimal(value) for value in frame.position]),
        "PlaneOrientationSequence": item(ImageOrientationPatient=[decimal(value) for value in frame.cosines]),
        "FrameAnatomySequence": item(
            FrameLaterality="B",
            AnatomicRegionSequence=[item(CodeValue="29836001", CodingSchemeDesignator="SCT", CodeMeaning="Hip")],
        ),
        "MRTimingAndRelatedParametersSequence": item(
            RepetitionTime=protocol.repetition_ms, FlipAngle=protocol.flip_degree, RFEchoTrainLength=protocol.echo_train
        ),
        "MRModifierSequence": modifier,
        "MREchoSequence": item(EffectiveEchoTime=frame.echo_ms),
        "MRImageFrameTypeSequence": item(FrameType=list(frame.image_type), ComplexImageComponent=frame.component),
    }
    if frame.slope is not None:
        groups["PixelValueTransformationSequence"] = item(
            RescaleSlope=decimal(frame.slope), RescaleIntercept=decimal(frame.intercept), RescaleType="US"
        )
    if frame.real_world is not None:
        slope, intercept = frame.real_world
        units = item(CodeValue="1", CodingSchemeDesignator="UCUM", CodeMeaning="no units")
        groups["RealWorldValueMappingSequence"] = item(
            RealWorldValueSlope=slope,
            RealWorldValueIntercept=intercept,
            LUTLabel="map",
            MeasurementUnitsCodeSequence=[units],
        )
    return groups


def _dimension_indices(frames: Sequence[EnhancedFrame]) -> list[list[int]]:
    keys = [(frame.stack, frame.place, frame.echo_ms, frame.temporal) for frame in frames]
    orders = [sorted(set(values)) for values in zip(*keys, strict=True)]
    return [[order.index(value) + 1 for order, value in zip(orders, key, strict=True)] for key in keys]


def _siemens_private(group: Dataset) -> None:
    _private_item(group, 0x0021, 0xFE, _SIEMENS_PRIVATE, b"per frame data")


def _philips_private(group: Dataset) -> None:
    _private_item(group, 0x2005, 0x0F, _PHILIPS_PRIVATE, b"single-frame attributes")


def _private_item(group: Dataset, number: int, element: int, creator: str, content: bytes) -> None:
    inner = Dataset()
    inner.private_block(number, creator, create=True).add_new(0x01, "OB", content + b"\0" * (len(content) % 2))
    group.private_block(number, creator, create=True).add_new(element, "SQ", [inner])


def _names(*words: str) -> frozenset[str]:
    return frozenset(f"{word}Sequence" for word in words)


_PROTOCOL_GROUPS = ("MRTimingAndRelatedParameters", "MRModifier", "FrameAnatomy")
SIEMENS_XA = Style(
    "Siemens XA",
    "Siemens Healthineers",
    _names(
        *_PROTOCOL_GROUPS,
        *("PixelMeasures", "PlaneOrientation", "PixelValueTransformation", "MREcho", "MRImageFrameType"),
    ),
    _siemens_private,
)
PHILIPS = Style("Philips", "Philips Medical Systems", _names(*_PROTOCOL_GROUPS), _philips_private)
PHILIPS_SHARED = Style(
    "Philips, pixel measures shared",
    "Philips",
    _names(*_PROTOCOL_GROUPS, "PixelMeasures", "PlaneOrientation"),
    _philips_private,
)
STYLES = (SIEMENS_XA, PHILIPS, PHILIPS_SHARED)


def scrambled(frames: Iterable[EnhancedFrame], seed: int = 1) -> list[EnhancedFrame]:
    """Return frames in an order that says nothing."""
    frames = list(frames)
    return [frames[i] for i in np.random.default_rng(seed).permutation(len(frames))]
