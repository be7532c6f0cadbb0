"""Hand-made values for tests of tables, files and pages: one hip with a ball for a head, and its record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from toh_mri.core.config import Config
from toh_mri.core.hip import (
    Anatomy,
    Check,
    Classification,
    Evidence,
    Finding,
    Findings,
    HipImages,
    HipLocation,
    HipResult,
    HipSeries,
    Label,
    Measurements,
    Pattern,
    Status,
    Structure,
)
from toh_mri.core.record import Failure, HipRecord, Provenance, SeriesRecord, StudyRecord
from toh_mri.core.study import (
    Acquisition,
    Alignment,
    Contrast,
    Exclusion,
    SeriesInfo,
    SeriesRole,
    SlicePlane,
    Study,
    StudyIdentity,
    StudyIndex,
)
from toh_mri.geometry import Grid, Image, Side, Sphere

FULL_SHAPE = (12, 60, 50)
CROP_START = (2, 10, 5)
CROP_STOP = (11, 55, 48)
SPACING_MM = (4.0, 1.5, 2.0)
RADIUS_MM = 18.0


def coronal_grid() -> Grid:
    """Coronal slices from front to back, rows downwards, columns to the patient's left."""
    affine = np.eye(4)
    affine[:3, 0] = (0, SPACING_MM[0], 0)
    affine[:3, 1] = (0, 0, -SPACING_MM[1])
    affine[:3, 2] = (SPACING_MM[2], 0, 0)
    affine[:3, 3] = (20, -22, 50)
    return Grid(FULL_SHAPE, affine)


def series_info(name: str, contrast: Contrast, excluded: Exclusion | None = None) -> SeriesInfo:
    role = SeriesRole(contrast=contrast, plane=SlicePlane.CORONAL, score=0.9, reasons=("its echo time",))
    return SeriesInfo(
        name=name,
        role=None if excluded else role,
        acquisition=Acquisition(field_strength_t=1.5),
        shape=FULL_SHAPE,
        spacing_mm=SPACING_MM,
        files=12,
        excluded=excluded,
    )


def alignment() -> Alignment:
    return Alignment(
        anchor="COR_STIR",
        method="none",
        applied=False,
        shift_mm=0.0,
        rotation_degree=0.0,
        similarity_before=None,
        similarity_after=None,
        reason="anchor series",
    )


def hip_result(side: Side = Side.LEFT) -> HipResult:
    """A ball-shaped head with a smaller ball of edema in its upper half and a band below it."""
    full = coronal_grid()
    crop = full.crop(CROP_START, CROP_STOP)
    head = Sphere((70.0, 2.0, 5.0), RADIUS_MM)
    points = crop.voxel_centres()
    inside = head.signed_distance(points) <= 0
    labels = np.where(inside, Label.FEMORAL_HEAD.code, 0).astype(np.uint8)
    edema = Sphere((70.0, 2.0, 11.0), 9.0).signed_distance(points) <= 0
    signal = (100 + 300 * edema + 20 * inside).astype(np.float32)
    series = tuple(
        HipSeries(series_info(name, contrast), Image(signal, crop), np.eye(4), alignment())
        for name, contrast in (("COR_STIR", Contrast.STIR), ("COR_T1", Contrast.T1))
    )
    location = HipLocation(side, head, 0.8, 0.9, 3)
    images = HipImages(location, "COR_STIR", ("STIR before PDFS",), FULL_SHAPE, CROP_START, series)
    anatomy = Anatomy(
        side=side,
        dimensionality=3,
        labels=Image(labels, crop),
        marrow=Image(inside, crop),
        head=head,
        neck_axis=(1.0, 0.0, 0.0),
        head_neck_plane=None,
        intertrochanteric_plane=None,
        surface=np.zeros((2, 4, 3)),
        confidence=0.7,
        checks=(),
    )
    findings = Findings(
        items=(band(),),
        masks={Structure.EDEMA: Image(edema, crop), Structure.BAND: Image(np.zeros_like(edema), crop)},
        absent={Structure.EFFUSION: "not_looked_for"},
        statistics={},
        absent_statistics={},
        notes=("Reference marrow: the shaft.",),
    )
    return HipResult(images, anatomy, findings, measurements(), classification())


def band() -> Finding:
    return Finding(
        id="band-1",
        structure=Structure.BAND,
        confidence=0.9,
        series=("COR_STIR",),
        slices=(6,),
        polylines_lps_mm=(((60.0, 2.0, 3.0), (70.0, 2.0, 0.0), (80.0, 2.0, 3.0)),),
        measures={"length_mm": 21.5},
    )


def measurements() -> Measurements:
    return Measurements(
        values={"edema_volume_ml": 3.05, "head_edema_percent": 12.5, "band_present": True, "contrast": 3.25},
        absent={"effusion_volume_ml": "not_looked_for"},
        flags=("degraded", "large_effusion_both_sides"),
    )


def classification() -> Classification:
    evidence = (
        Evidence(name="band", points=3.0, statement="A band crosses <the head>.", findings=("band-1",)),
        Evidence(name="extent", points=-1.0, statement="Edema reaches the neck."),
    )
    return Classification(pattern=Pattern.ON_LIKE, probability_on=0.88, evidence=evidence, model="rules-1")


def hip_record(side: Side = Side.LEFT) -> HipRecord:
    return HipRecord(
        side=side,
        status=Status.REVIEW,
        reason="border_contact",
        failure=None,
        dimensionality=3,
        reference_series="COR_STIR",
        reference_reasons=("STIR before PDFS",),
        slice_spacing_mm=4.0,
        field_strength_t=1.5,
        location_score=0.8,
        checks=(Check(code="border_contact", status=Status.REVIEW, value=0.04, message="It touches the edge."),),
        segmentation_confidence=0.7,
        findings=(band(),),
        measurements=measurements(),
        classification=classification(),
        notes=("Reference marrow: the shaft.",),
    )


def failed_hip_record(side: Side) -> HipRecord:
    failure = Failure(stage="segmentation", code="no_surface", message="No surface.", hint="Look at the images.")
    return hip_record(side).model_copy(
        update={
            "status": Status.FAILED,
            "reason": "no_surface",
            "failure": failure,
            "measurements": None,
            "classification": None,
            "segmentation_confidence": None,
            "findings": (),
        }
    )


def study_record(study_id: str = "S1", **changes: object) -> StudyRecord:
    config = Config()
    localizer = series_info("LOC", Contrast.OTHER, Exclusion(code="localizer", message="It is a localizer."))
    record = StudyRecord(
        study_id=study_id,
        patient_id="P1",
        study_date=None,
        status=Status.REVIEW,
        failure=None,
        series=(
            SeriesRecord(info=series_info("COR_STIR", Contrast.STIR), alignment=alignment()),
            SeriesRecord(info=series_info("COR_T1", Contrast.T1), alignment=alignment()),
            SeriesRecord(info=localizer, alignment=None),
        ),
        hips={Side.LEFT: hip_record()},
        warnings=(),
        provenance=Provenance(
            version="0.0.0",
            config_hash=config.fingerprint(),
            config=config.effective(),
            content_hash="c" * 64,
            libraries={"numpy": "2.0.0"},
        ),
    )
    return record.model_copy(update=changes)


def lacking_series(record: StudyRecord, count: int = 1, code: str = "missing_slices") -> StudyRecord:
    """Add series that were left out for their files."""
    reason = Exclusion(code=code, message="1 slice is missing.")
    lost = tuple(
        SeriesRecord(info=series_info(f"AX_STIR_{n + 1}", Contrast.STIR, reason), alignment=None) for n in range(count)
    )
    return record.model_copy(update={"series": (*record.series, *lost)})


def failed_study_record(study_id: str = "S9") -> StudyRecord:
    failure = Failure(stage="io", code="no_usable_series", message="No series fits.", hint="See the plan.")
    return study_record(study_id, status=Status.FAILED, failure=failure, hips={})


def study_index(
    path: Path = Path("root/a"), *, patient: str | None = "DOE^JANE", study: str | None = "1.2.3"
) -> StudyIndex:
    identity = StudyIdentity(patient=patient, study=study, date="20240131", relative_path=path.name)
    return StudyIndex(path=path, identity=identity, sources=(), skipped=(), warnings=())


@dataclass(frozen=True)
class StudyOfHash(Study):
    """A study without pixels that says what its content is."""

    content_hash: str = "c" * 64


def study_value(index: StudyIndex, study_id: str = "S1", content_hash: str = "c" * 64) -> Study:
    return StudyOfHash(
        study_id=study_id,
        patient_id="P1",
        study_date=None,
        series=(),
        excluded=(),
        index=index,
        content_hash=content_hash,
        warnings=(),
    )
