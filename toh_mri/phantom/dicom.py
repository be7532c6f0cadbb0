"""Write a case as a DICOM folder, in the state in which folders leave an archive."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage

from toh_mri.geometry import Grid
from toh_mri.phantom.case import PhantomCase, PhantomSeries
from toh_mri.phantom.nifti import scanning_sequence, write_truth
from toh_mri.phantom.streams import stream

_DATE, _TIME = "20200101", "120000"  # fixed: nothing depends on when a phantom is written
_NOTE = "Export of one study. This file is not an image.\n"


def write_dicom_case(case: PhantomCase, folder: str | Path) -> None:
    """Write ``study/``, a folder of single-frame MR images under shuffled names, and ``truth/``.

    The series are mixed, some names have no extension, a three-plane localizer and a text file lie among
    them. UIDs follow from the case, so that the same case gives the same bytes.
    """
    out = Path(folder) / "study"
    out.mkdir(parents=True, exist_ok=True)
    instances = list(_instances(case))
    order = stream(case.seed, "file names").permutation(len(instances))
    for position, dataset in zip(order, instances, strict=True):
        dataset.save_as(out / _file_name(int(position)), enforce_file_format=True)
    (out / "readme.txt").write_text(_NOTE, encoding="utf-8", newline="\n")
    write_truth(case, folder)


def _file_name(position: int) -> str:
    return f"IM{position:05d}" if position % 3 else f"{position:05d}.dcm"


def _instances(case: PhantomCase) -> Iterator[FileDataset]:
    study = _uid(case, "study")
    for index, planes in enumerate([case.localizer, *([one] for one in case.series)]):
        number = 1
        for series in planes:
            description = "localizer" if index == 0 else series.plan.description
            for slice_index in range(series.image.grid.shape[0]):
                dataset = _instance(case, series, slice_index)
                dataset.StudyInstanceUID = study
                dataset.SeriesInstanceUID = _uid(case, f"series {index}")
                dataset.SeriesNumber = index + 1
                dataset.SeriesDescription = dataset.ProtocolName = description
                dataset.InstanceNumber = number
                dataset.SOPInstanceUID = _uid(case, f"instance {index} {number}")
                dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
                dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
                number += 1
                yield dataset


def _uid(case: PhantomCase, name: str) -> UID:
    """Return a UID below 2.25 that follows from the case and a name."""
    words = f"toh-mri phantom {case.seed} {case.truth['cls']} {case.truth['side']} {case.field_strength_t} {name}"
    return UID(f"2.25.{int.from_bytes(hashlib.sha256(words.encode()).digest()[:16], 'big')}")


def _instance(case: PhantomCase, series: PhantomSeries, index: int) -> FileDataset:
    """Return one slice as an MR image, without what depends on its place in the study."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = MRImageStorage
    dataset.SpecificCharacterSet = "ISO_IR 100"
    _describe_patient(dataset, case)
    _describe_sequence(dataset, series)
    _describe_place(dataset, series.image.grid, index)
    pixels = np.asarray(series.image.array[index]).astype("<u2")
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.PixelData = pixels.tobytes()
    return dataset


def _describe_patient(dataset: FileDataset, case: PhantomCase) -> None:
    dataset.PatientName, dataset.PatientID = "PHANTOM^SAMPLE", f"PHANTOM-{case.seed}"
    dataset.PatientBirthDate, dataset.PatientSex = "", "O"
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = _DATE
    dataset.StudyTime = dataset.SeriesTime = dataset.AcquisitionTime = dataset.ContentTime = _TIME
    dataset.AccessionNumber = dataset.ReferringPhysicianName = ""
    dataset.StudyID, dataset.StudyDescription = "1", "MR HIP"
    dataset.Modality, dataset.Manufacturer, dataset.ManufacturerModelName = "MR", "Phantom", "toh-mri phantom"
    dataset.BodyPartExamined, dataset.PatientPosition = "HIP", "HFS"
    dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = _uid(case, "frame"), ""
    dataset.Laterality = "" if case.truth["bilateral"] else str(case.truth["side"])


def _describe_sequence(dataset: FileDataset, series: PhantomSeries) -> None:
    plan, sequence = series.plan, series.plan.sequence
    dataset.ScanningSequence, dataset.SequenceVariant = scanning_sequence(sequence), "SK"
    dataset.ScanOptions = "FS" if sequence.spectral_fat_suppression else ""
    dataset.MRAcquisitionType = "2D"
    dataset.RepetitionTime, dataset.EchoTime = sequence.repetition_time_ms, sequence.echo_time_ms
    if sequence.inversion_time_ms is not None:
        dataset.InversionTime = round(sequence.inversion_time_ms, 1)
    dataset.EchoTrainLength, dataset.FlipAngle = sequence.echo_train_length, 90
    dataset.MagneticFieldStrength, dataset.PixelBandwidth = sequence.field_strength_t, sequence.bandwidth_hz
    dataset.SliceThickness, dataset.SpacingBetweenSlices = plan.thickness_mm, round(plan.spacing_mm, 4)


def _describe_place(dataset: FileDataset, grid: Grid, index: int) -> None:
    across, down = grid.directions[:, 2], grid.directions[:, 1]
    dataset.ImageOrientationPatient = [round(float(v), 8) for v in (*across, *down)]
    dataset.ImagePositionPatient = [round(float(v), 5) for v in grid.to_world([index, 0, 0])]
    dataset.PixelSpacing = [round(s, 6) for s in grid.spacing_mm[1:]]
