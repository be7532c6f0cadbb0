"""Classic MR images: one file a slice, under names and numbers that say nothing of their order."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage, generate_uid
from pydicom.valuerep import format_number_as_ds

from tests.io.writers.compressed import ONE_FRAGMENT, Encapsulation, set_pixels
from tests.io.writers.pixel_format import SIGNED_16, PixelFormat
from tests.io.writers.stored_volume import StoredVolume

STUDY = "1.2.826.0.1.3680043.8.498.1"
STIR = {
    "ScanningSequence": ["SE", "IR"],
    "RepetitionTime": 4000,
    "EchoTime": 40,
    "InversionTime": 160,
    "EchoTrainLength": 8,
    "FlipAngle": 150,
    "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"],
    "BodyPartExamined": "HIP",
    "MRAcquisitionType": "2D",
    "MagneticFieldStrength": 1.5,
    "Manufacturer": "SIEMENS",
}
T1 = STIR | {"ScanningSequence": "SE", "RepetitionTime": 550, "EchoTime": 11, "InversionTime": None}


class PerSlice(tuple):
    """One value of an attribute for every slice."""

    __slots__ = ()


def classic_datasets(
    volume: StoredVolume,
    *,
    pixels: PixelFormat = SIGNED_16,
    syntax: UID = ExplicitVRLittleEndian,
    encapsulation: Encapsulation = ONE_FRAGMENT,
    protocol: Mapping[str, object] = STIR,
    **attributes: object,
) -> list[Dataset]:
    """Return one data set per slice. `attributes` are added to the protocol; `PerSlice` holds one value a slice."""
    content = (volume.stored.tobytes(), volume.affine.tobytes(), pixels, syntax, protocol, attributes)
    series = uid_of(*content)
    numbers = np.random.default_rng(len(volume.stored)).permutation(len(volume.stored)) + 1
    values = dict(protocol) | attributes
    datasets = []
    for index, (stored, position) in enumerate(zip(volume.stored, volume.positions, strict=True)):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.SOPClassUID, data.SOPInstanceUID = MRImageStorage, uid_of(series, index)
        data.StudyInstanceUID, data.SeriesInstanceUID = STUDY, series
        data.FrameOfReferenceUID, data.SeriesNumber = uid_of(STUDY, "frame of reference"), 3
        data.PatientID, data.PatientName, data.Modality = "MRN-77", "Mueller^Anna", "MR"
        data.InstanceNumber = int(numbers[index])
        data.SliceThickness = decimal(volume.spacing_mm[0] * 0.9)
        data.ImagePositionPatient = [decimal(value) for value in position]
        data.ImageOrientationPatient = [decimal(value) for value in volume.cosines]
        data.PixelSpacing = [decimal(value) for value in volume.spacing_mm[1:]]
        for keyword, value in values.items():
            setattr(data, keyword, value[index] if isinstance(value, PerSlice) else value)
        set_pixels(data, stored[np.newaxis], pixels, syntax, encapsulation)
        datasets.append(data)
    return datasets


def write_classic(folder: Path, volume: StoredVolume, **options: object) -> list[Path]:
    """Write `classic_datasets` as files, in the order of slices; names are drawn at random."""
    return save(folder, classic_datasets(volume, **options))


def save(folder: Path, datasets: list[Dataset]) -> list[Path]:
    """Write data sets under meaningless names."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for data in datasets:
        path = folder / data.SOPInstanceUID[-14:]
        data.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def uid_of(*content: object) -> UID:
    """Return a UID that follows from what it stands for, so that the same test writes the same bytes."""
    return generate_uid(entropy_srcs=[repr(part) for part in content])


def decimal(value: float) -> str:
    """Return a decimal string of at most 16 characters, as close to the value as these allow.

    A number of magnitude below 1 keeps 13 decimals (sign, zero, point: 3 characters), one below 1000 keeps 11.
    """
    return format_number_as_ds(float(value))
