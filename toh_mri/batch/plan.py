"""What a run would do with a study, from its headers only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from toh_mri.core.frozen import FrozenModel
from toh_mri.core.study import Exclusion, SeriesInfo, SeriesSource, SkippedFile, StudyIndex
from toh_mri.core.words import printable
from toh_mri.io.series import IndexedSeries

_BOTH_HIPS_WIDTH_MM = 280.0  # two hip joints are 160-200 mm apart in adults; each needs its head and the skin beyond
_OFF_CENTRE_MM = 40.0  # a field of view this far off the scanner's midline was placed on one hip
_EXAMPLES = 3
_LATERALITY = {"L": "left", "R": "right", "B": "left and right"}


class SeriesPlan(FrozenModel):
    """One series: what it is taken for, what it would be used for or why not, and what to know if it is used."""

    info: SeriesInfo
    description: str
    used: bool
    use: str
    notes: tuple[str, ...] = ()


class SkippedPlan(FrozenModel):
    """Files that belong to no series and share one reason; a few of them by name."""

    reason: Exclusion
    files: int
    examples: tuple[str, ...]


class StudyPlan(FrozenModel):
    """What is known of a study before its pixels are read.

    `path` is the folder, `name` the study's own path, which tells studies in one folder apart. Both, and `description`,
    are the user's own words, for the screen: they may identify a patient. Control characters and undecodable bytes in
    them are codes.
    """

    path: str
    name: str
    sides: str
    series: tuple[SeriesPlan, ...]
    skipped: tuple[SkippedPlan, ...]
    warnings: tuple[str, ...]

    @property
    def has_work(self) -> bool:
        """Whether any series would be used."""
        return any(series.used for series in self.series)


def plan_study(index: StudyIndex) -> StudyPlan:
    """Say what would be used of a study, and why not the rest."""
    return StudyPlan(
        path=printable(str(index.path)),
        name=printable(index.identity.relative_path),
        sides=_sides(index.sources),
        series=tuple(_series_plan(source) for source in index.sources),
        skipped=_grouped(index.skipped),
        warnings=index.warnings,
    )


def _series_plan(source: SeriesSource) -> SeriesPlan:
    info = source.info
    used, use = _use_of(info)
    notes = source.notes if isinstance(source, IndexedSeries) and info.excluded is None else ()
    return SeriesPlan(
        info=info,
        description=printable(source.description),
        used=used,
        use=use,
        notes=tuple(printable(note) for note in notes),
    )


def _use_of(info: SeriesInfo) -> tuple[bool, str]:
    if info.excluded is not None:
        return False, f"not used: {info.excluded.message} [{info.excluded.code}]"
    if info.role is None:
        return False, "not used: its role is not known"
    if info.role.contrast.is_fluid_sensitive:
        return True, "edema, lines and bone; may become the reference series of a hip"
    if info.role.contrast.is_t1_like:
        return True, "bone and lines; confirms edema"
    return False, "not used: no contrast that shows marrow was recognised"


def _sides(sources: Iterable[SeriesSource]) -> str:
    """Say which hips to expect. Which are there is decided on the images."""
    usable = [source for source in sources if source.grid is not None and source.info.excluded is None]
    tags = {source.info.acquisition.laterality for source in usable} - {None}
    if len(tags) == 1:
        return f"{_LATERALITY[tags.pop() or 'B']} (laterality tag); decided on the images"
    spans = [span for source in usable if (span := _span_x_mm(source)) is not None]
    if not spans:
        return "none: no usable series"
    low, high = max(spans, key=lambda span: span[1] - span[0])
    width, middle = high - low, (low + high) / 2
    if width >= _BOTH_HIPS_WIDTH_MM:
        return f"left and right (field of view {width:.0f} mm wide); decided on the images"
    if abs(middle) >= _OFF_CENTRE_MM:
        side = "left" if middle > 0 else "right"
        where = f"field of view {abs(middle):.0f} mm {side} of the scanner's middle"
        return f"{side} ({where}); decided on the images"
    return "decided on the images"


def _span_x_mm(source: SeriesSource) -> tuple[float, float] | None:
    if source.grid is None:
        return None
    corners = np.array([[k, j, i] for k in (0, 1) for j in (0, 1) for i in (0, 1)]) * source.grid.shape - 0.5
    x = source.grid.to_world(corners)[:, 0]
    return float(x.min()), float(x.max())


def _grouped(skipped: Iterable[SkippedFile]) -> tuple[SkippedPlan, ...]:
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for file in skipped:
        groups[file.reason.code, file.reason.message].append(printable(file.path.name))
    return tuple(
        SkippedPlan(
            reason=Exclusion(code=code, message=message),
            files=len(names),
            examples=tuple(sorted(names)[:_EXAMPLES]),
        )
        for (code, message), names in sorted(groups.items())
    )
