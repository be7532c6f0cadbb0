"""All features of one hip, and its flags."""

from __future__ import annotations

import math

from toh_mri.core.hip import Anatomy, Findings, HipImages, Measurements, Scalar, Structure
from toh_mri.measure.registry import FEATURES
from toh_mri.measure.subject import AbsentError, Subject

BOTH_SIDES_PERCENT = 10.0
"""Share of all edema in the acetabulum from which both sides of the joint count as affected (hip-MRI literature:
arthritis and arthrosis)."""


def measure_hip(images: HipImages, anatomy: Anatomy, findings: Findings) -> Measurements:
    """Compute every feature of the registry.

    Parameters
    ----------
    images : HipImages
    anatomy : Anatomy
    findings : Findings
        Of the same hip.

    Returns
    -------
    Measurements
        A feature is either in `values` or, with its reason code, in `absent`. `flags`:
        ``subchondral_fracture_line``, ``neck_fracture_line``, ``band_with_edema`` (necrosis about to collapse),
        ``edema_both_sides``, and ``no_t1_series``: without one, lines show in edematous marrow only.
    """
    subject = Subject(images, anatomy, findings)
    values: dict[str, Scalar] = {}
    absent: dict[str, str] = {}
    for feature in FEATURES:
        if anatomy.dimensionality not in feature.dimensionality:
            absent[feature.name] = "single_slice" if anatomy.dimensionality == 2 else "not_a_single_slice"
            continue
        try:
            value = feature.compute(subject)
        except AbsentError as reason:
            absent[feature.name] = reason.code
            continue
        if isinstance(value, float) and not math.isfinite(value):
            absent[feature.name] = "not_finite"
        else:
            values[feature.name] = value
    return Measurements(values=values, absent=absent, flags=_flags(images, findings, values))


def _flags(images: HipImages, findings: Findings, values: dict[str, Scalar]) -> tuple[str, ...]:
    """Name what asks for attention."""
    roles = [series.info.role for series in images.series]
    found = {item.structure for item in findings.items}
    share = float(values.get("acetabulum_edema_share_percent", 0.0))
    flags = {
        "subchondral_fracture_line": Structure.SUBCHONDRAL_LINE in found,
        "neck_fracture_line": Structure.NECK_LINE in found,
        "band_with_edema": Structure.BAND in found and Structure.EDEMA in found,
        "edema_both_sides": share >= BOTH_SIDES_PERCENT,
        "degraded": bool(images.reference_series.info.missing_slices),
        "no_t1_series": not any(role is not None and role.contrast.is_t1_like for role in roles),
    }
    return tuple(name for name, raised in flags.items() if raised)
