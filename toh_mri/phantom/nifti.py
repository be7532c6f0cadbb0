"""Write a case as NIfTI, with sidecars as a converter makes them, and its truth."""

from __future__ import annotations

import json
from pathlib import Path

from toh_mri.io.volumes.nifti import write_nifti
from toh_mri.phantom.case import PhantomCase
from toh_mri.phantom.examination import PhantomSeries
from toh_mri.phantom.headers import header

_OPTIONAL = ("line_serpiginous",)  # written only where there is one


def write_nifti_case(case: PhantomCase, folder: str | Path) -> None:
    """Write ``nifti/<series>.nii.gz`` with ``.json`` sidecars, and ``truth/``.

    Raises
    ------
    ExportError
        ``write_failed``.
    """
    out = Path(folder) / "nifti"
    out.mkdir(parents=True, exist_ok=True)
    for series in case.series:
        write_nifti(out / f"{series.name}.nii.gz", series.image)
        _write_json(out / f"{series.name}.json", sidecar(series))
    write_truth(case, folder)


def write_truth(case: PhantomCase, folder: str | Path) -> None:
    """Write ``truth/truth.json`` and the masks of every series.

    Raises
    ------
    ExportError
        ``write_failed``.
    """
    out = Path(folder) / "truth"
    out.mkdir(parents=True, exist_ok=True)
    _write_json(out / "truth.json", dict(case.truth))
    for series in case.series:
        for name, mask in series.masks.items():
            if name not in _OPTIONAL or mask.array.any():
                write_nifti(out / f"{series.name}_{name}.nii.gz", mask)


def sidecar(series: PhantomSeries) -> dict[str, object]:
    """Return what dcm2niix would write beside the series; times in seconds."""
    plan, sequence, words = series.plan, series.plan.sequence, header(series.plan)
    values: dict[str, object] = {
        "Modality": "MR",
        "MagneticFieldStrength": sequence.field_strength_t,
        "Manufacturer": "Phantom",
        "BodyPartExamined": "HIP",
        "PatientPosition": "HFS",
        "SeriesDescription": words.series_description,
        "ProtocolName": words.series_description,
        "SequenceName": words.sequence_name,
        "ScanningSequence": words.scanning_sequence,
        "SequenceVariant": "\\".join(words.sequence_variant),
        "ScanOptions": "\\".join(words.scan_options),
        "ImageType": list(words.image_type),
        "MRAcquisitionType": words.acquisition_type,
        "SliceThickness": plan.thickness_mm,
        "SpacingBetweenSlices": plan.spacing_mm,
        "EchoTime": sequence.echo_time_ms / 1000,
        "RepetitionTime": sequence.repetition_time_ms / 1000,
        "InversionTime": None if sequence.inversion_time_ms is None else round(sequence.inversion_time_ms / 1000, 4),
        "FlipAngle": sequence.flip_angle_degree,
        "EchoTrainLength": sequence.echo_train_length,
        "ImageOrientationPatientDICOM": [round(float(v), 6) for v in series.image.grid.directions[:, [2, 1]].T.ravel()],
        "ConversionSoftware": "dcm2niix",
    }
    return {name: value for name, value in values.items() if value is not None}


def _write_json(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8", newline="\n")
