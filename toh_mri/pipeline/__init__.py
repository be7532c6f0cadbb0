"""The chain from a study to its result."""

from toh_mri.pipeline.analyze import analyze_study
from toh_mri.pipeline.records import failed_record
from toh_mri.pipeline.result import StudyResult

__all__ = ["StudyResult", "analyze_study", "failed_record"]
