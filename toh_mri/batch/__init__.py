"""Many studies: what there is to do, doing it, resuming, keeping one failure from stopping the rest."""

from toh_mri.batch.plan import SeriesPlan, SkippedPlan, StudyPlan, plan_study
from toh_mri.batch.runner import Outcome, Summary, run_studies

__all__ = ["Outcome", "SeriesPlan", "SkippedPlan", "StudyPlan", "Summary", "plan_study", "run_studies"]
