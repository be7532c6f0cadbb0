"""Pages for people: one per study, self-contained, and one for the cohort."""

from toh_mri.report.cohort import cohort_page
from toh_mri.report.preview import hip_preview
from toh_mri.report.study import study_page

__all__ = ["cohort_page", "hip_preview", "study_page"]
