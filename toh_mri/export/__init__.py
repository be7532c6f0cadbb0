"""Results as files: tables, records, label images. Knows nothing of how a value was computed."""

from toh_mri.export.key import KeyEntry, update_key
from toh_mri.export.left_out import series_left_out
from toh_mri.export.output import OutputFolder, Tables
from toh_mri.export.run import StudyTiming, begin_run, finish_run
from toh_mri.export.tables import Row, failure_rows, study_rows

__all__ = [
    "KeyEntry",
    "OutputFolder",
    "Row",
    "StudyTiming",
    "Tables",
    "begin_run",
    "failure_rows",
    "finish_run",
    "series_left_out",
    "study_rows",
    "update_key",
]
