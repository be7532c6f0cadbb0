"""The record of one study: the JSON from which tables and pages are made, and can be made again."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from toh_mri.core.errors import TohMriError
from toh_mri.core.frozen import FrozenMapping, FrozenModel
from toh_mri.core.hip import Check, Classification, Finding, Measurements, Status
from toh_mri.core.study import Alignment, SeriesInfo
from toh_mri.geometry import Side

SCHEMA_VERSION = "1.0"
NOTICE = (
    "For research use only. Not for diagnostic use. Not a medical device: not cleared by the FDA, "
    "not CE-marked. Patterns are distributions of signal, not diagnoses."
)


class Failure(FrozenModel):
    """Why a study or hip failed: stage, stable code, sentence, what to do."""

    stage: str
    code: str
    message: str
    hint: str

    @classmethod
    def of(cls, error: TohMriError) -> Failure:
        """Describe an error raised on purpose."""
        return cls(stage=error.stage, code=error.code, message=error.message, hint=error.hint)


class Provenance(FrozenModel):
    """What made this record. Timings, hosts and dates live in ``run.json``."""

    version: str
    config_hash: str
    config: FrozenMapping[str, Any]
    content_hash: str | None
    libraries: FrozenMapping[str, str]


class SeriesRecord(FrozenModel):
    """A series, its role, and how it was aligned. `alignment` is None for excluded series."""

    info: SeriesInfo
    alignment: Alignment | None


class HipRecord(FrozenModel):
    """One hip. What lies after a failed stage is None.

    Lengths in mm, LPS coordinates of the reference series' patient space.
    """

    side: Side
    status: Status
    reason: str | None
    failure: Failure | None
    dimensionality: int
    reference_series: str
    reference_reasons: tuple[str, ...]
    slice_spacing_mm: float
    field_strength_t: float | None
    location_score: float
    checks: tuple[Check, ...]
    segmentation_confidence: float | None
    findings: tuple[Finding, ...]
    measurements: Measurements | None
    classification: Classification | None
    notes: tuple[str, ...]


class StudyRecord(FrozenModel):
    """One study, ``study.json``.

    `hips` is keyed by side and holds the hips in view; `failure` is set where the study failed as a whole,
    and `hips` is then empty.
    """

    schema_version: str = SCHEMA_VERSION
    notice: str = NOTICE
    study_id: str
    patient_id: str
    study_date: str | None
    status: Status
    failure: Failure | None
    series: tuple[SeriesRecord, ...]
    hips: FrozenMapping[Side, HipRecord] = Field(default_factory=dict)
    warnings: tuple[str, ...]
    provenance: Provenance

    def to_json(self) -> str:
        """Write the record as indented JSON with a final newline; the same record gives the same text."""
        return self.model_dump_json(indent=1) + "\n"
