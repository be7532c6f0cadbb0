"""The page of one study."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from toh_mri.core.config.report import ReportConfig
from toh_mri.core.hip import Evidence, HipResult, Structure
from toh_mri.core.record import HipRecord, SeriesRecord, StudyRecord
from toh_mri.geometry import Side
from toh_mri.report.pictures import SlicePictures, hip_pictures
from toh_mri.report.render import render
from toh_mri.report.wording import Value, all_values, key_values


@dataclass(frozen=True)
class HipSection:
    """What the page shows of one hip.

    Attributes
    ----------
    evidence : tuple of (Evidence, float)
        Each reason with its points as a share, -1..1, of the strongest one.
    slices : tuple of SlicePictures
        Empty where the pictures are not at hand.
    drawn : frozenset of str
        Names of the structures on any of the pictures, for the legend.
    not_looked_for : tuple of (str, str)
        Structures no image was written for, and the reason code.
    """

    record: HipRecord
    key_values: tuple[Value, ...]
    all_values: tuple[Value, ...]
    evidence: tuple[tuple[Evidence, float], ...]
    slices: tuple[SlicePictures, ...]
    drawn: frozenset[str]
    not_looked_for: tuple[tuple[str, str], ...]


def study_page(record: StudyRecord, hips: Mapping[Side, HipResult], settings: ReportConfig) -> str:
    """Return a study's report: one HTML text that needs no other file and no network.

    Parameters
    ----------
    record : StudyRecord
        What the page says. A study that failed as a whole gets a page with the reason.
    hips : mapping of Side to HipResult
        Where the pictures come from; a hip that is not in it is shown without.
    settings : ReportConfig
    """
    sections = {side: _section(record.hips[side], hips.get(side), settings) for side in _as_hung(record)}
    return render(
        "study.html.j2",
        record=record,
        sections=sections,
        series=sorted(record.series, key=lambda item: (item.info.excluded is not None, item.info.name)),
        uses={item.info.name: _uses(item, record) for item in record.series},
        config=json.dumps(record.provenance.config, indent=1, sort_keys=True),
    )


def _as_hung(record: StudyRecord) -> list[Side]:
    """Order the hips as on a coronal picture: the patient's right side is on the left."""
    return sorted(record.hips, reverse=True)


def _section(hip: HipRecord, result: HipResult | None, settings: ReportConfig) -> HipSection:
    slices = () if result is None else hip_pictures(result, settings)
    findings = None if result is None else result.findings
    absent = {} if findings is None else findings.absent
    return HipSection(
        record=hip,
        key_values=key_values(hip),
        all_values=all_values(hip),
        evidence=_weighed(hip),
        slices=slices,
        drawn=frozenset(layer.name for item in slices for layer in item.layers),
        not_looked_for=tuple((str(name), absent[name]) for name in Structure if name in absent),
    )


def _weighed(hip: HipRecord) -> tuple[tuple[Evidence, float], ...]:
    evidence = () if hip.classification is None else hip.classification.evidence
    strongest = max((abs(item.points) for item in evidence), default=0.0) or 1.0
    ordered = sorted(evidence, key=lambda item: -abs(item.points))
    return tuple((item, item.points / strongest) for item in ordered)


def _uses(series: SeriesRecord, record: StudyRecord) -> str:
    """Say what a series was used for."""
    info = series.info
    if info.excluded is not None:
        return "not used"
    references = [side for side in sorted(record.hips) if record.hips[side].reference_series == info.name]
    if references:
        return f"reference series of the {' and '.join(references)} hip{'s' if len(references) > 1 else ''}"
    if series.alignment is None:
        return "read"
    return "read and aligned"
