"""One picture of one hip, for the cohort's page."""

from __future__ import annotations

from toh_mri.core.config.report import ReportConfig
from toh_mri.core.hip import HipResult
from toh_mri.report.pictures import middle_picture
from toh_mri.report.render import render


def hip_preview(result: HipResult, settings: ReportConfig) -> str:
    """Return the reference series' slice through the middle of the head, with its overlay, as SVG."""
    item = middle_picture(result, settings)
    return render("preview.svg.j2", item=item, picture=item.pictures[0])
