"""The page of all studies in an output folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from toh_mri.core.hip import Pattern, Status
from toh_mri.report.render import render

Row = Mapping[str, object]


def cohort_page(
    hips: Sequence[Row],
    failures: Sequence[Row],
    pages: Mapping[str, str],
    previews: Mapping[tuple[str, str], str],
) -> str:
    """Return the cohort's page: one row per hip, linked to the studies' reports.

    Parameters
    ----------
    hips, failures : sequence of mapping
        Rows of ``hips.csv`` and ``failures.csv``.
    pages : mapping of str to str
        Each study's report, relative to this page.
    previews : mapping of (str, str) to str
        Each hip's picture by study and side, relative to this page.
    """
    measured = [row for row in hips if row["side"]]
    volumes = [value for row in measured if isinstance(value := row["edema_volume_ml"], float)]
    return render(
        "cohort.html.j2",
        hips=hips,
        failures=failures,
        pages=pages,
        previews=previews,
        study_count=len({row["study_id"] for row in hips}),
        hip_count=len(measured),
        patterns=[(str(p), p, n) for p in Pattern if (n := sum(row["pattern"] == p for row in measured))],
        statuses=[(status, Counter(row["status"] for row in hips)[status]) for status in Status],
        largest_edema_ml=max(volumes, default=0.0) or 1.0,
    )
