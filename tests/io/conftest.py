"""DICOM series made for the tests."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
STIR = {
    "ScanningSequence": ["SE", "IR"],
    "RepetitionTime": 4000,
    "EchoTime": 40,
    "InversionTime": 160,
    "BodyPartExamined": "HIP",
    "SeriesDescription": "Mueller^Anna stir cor",
}


def write_series(
    folder: Path,
    positions: list,
    pixels: np.ndarray | None = None,
    *,
    orientation: tuple = CORONAL,
    pixel_mm: tuple = (1.0, 1.0),
    study: str = "1.2.3",
    **attributes: object,
) -> list[Path]:
    """Write one file per position; file names and InstanceNumber say nothing about the order."""
    folder.mkdir(parents=True, exist_ok=True)
    series = str(attributes.pop("SeriesInstanceUID", generate_uid()))
    stack = np.zeros((len(positions), 80, 96), np.int16) if pixels is None else pixels
    values = STIR | {"Modality": "MR", "SOPClassUID": MRImageStorage, "SliceThickness": 3.0} | attributes
    paths = []
    for index, position in enumerate(positions):
        data = Dataset()
        for keyword, value in values.items():
            setattr(data, keyword, value[index] if isinstance(value, dict) else value)
        data.StudyInstanceUID, data.SeriesInstanceUID, data.SOPInstanceUID = study, series, generate_uid()
        data.PatientID, data.PatientName, data.StudyDate = "MRN-77", "Mueller^Anna", "20200131"
        data.InstanceNumber = (index * 7919) % 101
        data.ImagePositionPatient = [f"{v:.9g}" for v in position]
        data.ImageOrientationPatient = [f"{v:.12f}" for v in orientation]
        data.PixelSpacing = [f"{v:.12g}" for v in pixel_mm]
        data.Rows, data.Columns = stack.shape[1:]
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
        data.PixelData = stack[index].tobytes()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        path = folder / f"{generate_uid()[-12:]}"
        data.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


@pytest.fixture(scope="session")
def dicom_series() -> Callable[..., list[Path]]:
    """Writer of DICOM series; see `write_series`."""
    return write_series


@pytest.fixture(scope="session")
def coronal_positions() -> Callable[..., list]:
    """Positions of a coronal stack, from front to back, in a shuffled order."""

    def positions(count: int, spacing_mm: float = 4.4, without: tuple = ()) -> list:
        order = np.random.default_rng(0).permutation(count)
        return [(-48.0, -20.0 + spacing_mm * k, 30.0) for k in order if k not in without]

    return positions
