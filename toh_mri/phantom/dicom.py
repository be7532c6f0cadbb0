"""Write a case as a DICOM folder, in the state in which folders leave an archive."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage
from pydicom.valuerep import DSfloat

from toh_mri.geometry import Grid
from toh_mri.phantom.case import PhantomCase
from toh_mri.phantom.examination import PhantomSeries
from toh_mri.phantom.headers import header
from toh_mri.phantom.nifti import write_truth
from toh_mri.phantom.streams import stream

_FIRST_DAY, _TIME = date(2020, 1, 1), "120000"  # fixed: nothing depends on when a phantom is written
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
            description = "localizer" if index == 0 else header(series.plan).series_description
            for slice_index in range(series.image.grid.shape[0]):
                dataset = _instance(case, series, slice_index)
                dataset.StudyInstanceUID = study
                dataset.SeriesInstanceUID = _uid(case, f"series {index}")
                dataset.SeriesNumber = index + 1
                dataset.SeriesDescription = dataset.ProtocolName = description
                dataset.InstanceNumber = number
                dataset.SOPInstanceUID = _uid(case, f"instance {index} {number}")
                dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
                number += 1
                yield dataset


def _uid(case: PhantomCase, name: str) -> UID:
    """Return a UID below 2.25 that follows from the case and a name."""
    later = "" if case.visit.number == 1 else f"visit {case.visit.number} "
    told = ("seed", "cls", "side", "bilateral", "difficulty", "field_strength_t")
    what = " ".join(str(case.truth[key]) for key in told)
    words = f"toh-mri phantom {what} {later}{name}"
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
    day = (_FIRST_DAY + timedelta(days=case.visit.days)).strftime("%Y%m%d")
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = day
    dataset.StudyTime = dataset.SeriesTime = dataset.AcquisitionTime = dataset.ContentTime = _TIME
    dataset.AccessionNumber = dataset.ReferringPhysicianName = ""
    dataset.StudyID, dataset.StudyDescription = str(case.visit.number), "MR HIP"
    dataset.Modality, dataset.Manufacturer, dataset.ManufacturerModelName = "MR", "Phantom", "toh-mri phantom"
    dataset.BodyPartExamined, dataset.PatientPosition = "HIP", "HFS"
    dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = _uid(case, "frame"), ""
    dataset.Laterality = "" if case.truth["bilateral"] else str(case.truth["side"])


def _describe_sequence(dataset: FileDataset, series: PhantomSeries) -> None:
    plan, sequence, words = series.plan, series.plan.sequence, header(series.plan)
    dataset.ImageType, dataset.SequenceName = list(words.image_type), words.sequence_name
    dataset.ScanningSequence, dataset.SequenceVariant = words.scanning_sequence, list(words.sequence_variant)
    dataset.ScanOptions, dataset.MRAcquisitionType = list(words.scan_options), words.acquisition_type
    dataset.RepetitionTime, dataset.EchoTime = sequence.repetition_time_ms, sequence.echo_time_ms
    if sequence.inversion_time_ms is not None:
        dataset.InversionTime = round(sequence.inversion_time_ms, 1)
    dataset.EchoTrainLength, dataset.FlipAngle = sequence.echo_train_length, sequence.flip_angle_degree
    dataset.MagneticFieldStrength, dataset.PixelBandwidth = sequence.field_strength_t, sequence.bandwidth_hz
    dataset.SliceThickness, dataset.SpacingBetweenSlices = plan.thickness_mm, round(plan.spacing_mm, 4)


def _describe_place(dataset: FileDataset, grid: Grid, index: int) -> None:
    across, down = grid.directions[:, 2], grid.directions[:, 1]
    dataset.ImageOrientationPatient = _decimals((*across, *down))
    dataset.ImagePositionPatient = _decimals(grid.to_world([index, 0, 0]))
    dataset.PixelSpacing = _decimals(grid.spacing_mm[1:])


def _decimals(values: Iterable[float]) -> list[DSfloat]:
    """Return decimal strings of all the 16 characters that DICOM allows: a spacing adds up over a whole image."""
    return [DSfloat(float(value), auto_format=True) for value in values]
