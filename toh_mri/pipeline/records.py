"""From results to the record that is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version

from toh_mri.core.config import Config
from toh_mri.core.errors import TohMriError
from toh_mri.core.hip import Check, HipResult, Pattern, Status
from toh_mri.core.record import Failure, HipRecord, Provenance, SeriesRecord, StudyRecord
from toh_mri.core.study import AlignedStudy, Study, StudyIndex
from toh_mri.geometry import Side
from toh_mri.io import pseudonyms

_LIBRARIES = ("numpy", "scipy", "scikit-image", "numba", "nibabel", "pydicom", "highdicom", "SimpleITK")
_WARNED = ("laterality_disagrees", "missing_slices")


def hip_record(
    result: HipResult, failure: Failure | None, config: Config, unreadable: tuple[str, ...] = ()
) -> HipRecord:
    """Describe one hip, as far as it was taken; `unreadable` names series that are missing for it."""
    images, anatomy, findings = result.images, result.anatomy, result.findings
    checks = anatomy.checks if anatomy else images.location.checks
    doubts = ["series_unreadable"] * bool(unreadable) + _doubts(result, checks, config)
    status = Status.FAILED if failure else Status.REVIEW if doubts else Status.OK
    reference = images.reference_series
    return HipRecord(
        side=images.side,
        status=status,
        reason=failure.code if failure else doubts[0] if doubts else None,
        failure=failure,
        dimensionality=images.location.dimensionality,
        reference_series=images.reference,
        reference_reasons=images.reference_reasons,
        slice_spacing_mm=reference.image.grid.spacing_mm[0],
        field_strength_t=reference.info.acquisition.field_strength_t,
        location_score=images.location.score,
        checks=checks,
        segmentation_confidence=anatomy.confidence if anatomy else None,
        findings=findings.items if findings else (),
        measurements=result.measurements,
        classification=result.classification,
        notes=findings.notes if findings else (),
    )


def _doubts(result: HipResult, checks: tuple[Check, ...], config: Config) -> list[str]:
    """Return the codes that ask for a look, the weightiest first."""
    doubts = [check.code for check in checks if check.status is not Status.OK]
    if result.anatomy and result.anatomy.confidence < config.segmentation.review_confidence:
        doubts.insert(0, "low_confidence")
    if result.classification and result.classification.pattern is None:
        doubts.insert(0, result.classification.reason or "not_classified")
    if result.classification and result.classification.pattern is Pattern.INDETERMINATE:
        doubts.append("indeterminate")
    return doubts


def study_record(
    study: Study,
    config: Config,
    *,
    aligned: AlignedStudy | None = None,
    hips: Mapping[Side, HipRecord] | None = None,
    failure: Failure | None = None,
) -> StudyRecord:
    """Describe one study. Its status is that of its worst hip."""
    alignments = {item.series.name: item.alignment for item in aligned.series} if aligned else {}
    series = [SeriesRecord(info=s.info, alignment=alignments.get(s.name)) for s in study.series]
    series += [SeriesRecord(info=info, alignment=None) for info in study.excluded]
    return StudyRecord(
        study_id=study.study_id,
        patient_id=study.patient_id,
        study_date=study.study_date,
        status=Status.FAILED if failure else _worst([hip.status for hip in (hips or {}).values()]),
        failure=failure,
        series=tuple(series),
        hips=dict(hips or {}),
        warnings=(*study.warnings, *_hip_warnings(hips or {})),
        provenance=_provenance(config, study.content_hash),
    )


def _hip_warnings(hips: Mapping[Side, HipRecord]) -> Iterator[str]:
    """Say which hips may be of the other side, and of which edema is not counted in full."""
    for side in sorted(hips):
        for check in hips[side].checks:
            if check.code in _WARNED and check.status is not Status.OK:
                yield f"{side.capitalize()} hip: {check.message}"


def failed_record(index: StudyIndex, error: TohMriError, config: Config) -> StudyRecord:
    """Describe a study that could not even be read."""
    names = pseudonyms(index.identity, config.io)
    return StudyRecord(
        study_id=names.study_id,
        patient_id=names.patient_id,
        study_date=names.study_date,
        status=Status.FAILED,
        failure=Failure.of(error),
        series=tuple(SeriesRecord(info=source.info, alignment=None) for source in index.sources),
        warnings=index.warnings,
        provenance=_provenance(config, None),
    )


def _worst(statuses: list[Status]) -> Status:
    return max(statuses, key=list(Status).index, default=Status.FAILED)


def _provenance(config: Config, content_hash: str | None) -> Provenance:
    return Provenance(
        version=version("toh-mri"),
        config_hash=config.fingerprint(),
        config=config.effective(),
        content_hash=content_hash,
        libraries={name: version(name) for name in _LIBRARIES},
    )
