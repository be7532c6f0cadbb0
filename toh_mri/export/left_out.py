"""Series that might show a hip and were lost to the state of their files: told by the record alone."""

from __future__ import annotations

from toh_mri.core.errors import GeometryError, InputError
from toh_mri.core.record import Failure, StudyRecord

# Codes of `SeriesInfo.excluded`. Series left out for what they are (localizers, maps, other contrasts) are no loss.
_NO_GEOMETRY = frozenset(
    {
        *("missing_slices", "uneven_spacing", "duplicate_slices", "misplaced_slices", "sheared"),
        *("no_geometry", "no_orientation", "frames_disagree", "scaling_disagrees"),
    }
)
_NOT_READ = frozenset(
    {
        *("unreadable", "unreadable_dicom", "pixels_unreadable", "nifti_unreadable", "volume_unreadable"),
        *("picture_unreadable", "archive_unreadable", "no_samples", "too_large"),
    }
)
_HINT = "'toh-mri plan' shows what was found of it. If its files are at fault, export it again, complete and unchanged."
_GAP_HINT = "Export the series again, completely; or use it as it is, with --allow-missing-slices."


def series_left_out(record: StudyRecord) -> tuple[Failure, ...]:
    """Return why series of a study could not be placed or read, in the order of the record."""
    gaps_allowed = record.provenance.config.get("io", {}).get("allow_missing_slices", False)
    lost = []
    for info in (item.info for item in record.series):
        reason = info.excluded
        if reason is None or reason.code not in _NO_GEOMETRY | _NOT_READ:
            continue
        lost.append(
            Failure(
                stage=GeometryError.stage if reason.code in _NO_GEOMETRY else InputError.stage,
                code=reason.code,
                message=f"{info.name} was left out. {reason.message}",
                hint=_GAP_HINT if reason.code == "missing_slices" and not gaps_allowed else _HINT,
            )
        )
    return tuple(lost)
