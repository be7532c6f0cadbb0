"""From what a format's reader found to the series of a study: role, fitness for a hip study, name.

Every format's reader (DICOM, NIfTI) describes the series it found as a `Candidate`; everything that does not
depend on the format happens here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toh_mri.core.config.io import IoConfig
from toh_mri.core.study import Acquisition, Contrast, Exclusion, SeriesInfo, SeriesRole, SeriesSource, SlicePlane
from toh_mri.geometry import Grid, Image
from toh_mri.io.choice import Choice, Choosable
from toh_mri.io.roles.assign import assign_role, plane_of
from toh_mri.io.roles.fitness import fitness_problems

_PLANE_PREFIX = {SlicePlane.CORONAL: "COR", SlicePlane.AXIAL: "AX", SlicePlane.SAGITTAL: "SAG"}


class Loaded(NamedTuple):
    """Pixels of a series (float32), what is to be said about how they were read, and the rescale applied."""

    image: Image
    notes: tuple[str, ...]
    rescale: str | None = None


@dataclass(frozen=True)
class Candidate:
    """A series as a format's reader found it, headers only.

    Attributes
    ----------
    acquisition : Acquisition
    description : str
        The source's own name of the series.
    words : str
        All free text that may tell what it shows: `description`, sequence name, file name.
    paths : tuple of Path
    order : tuple
        Sorts the candidates of a study; the same for the same files.
    normal : ndarray of float64, shape (3,), or None
        Slice normal in LPS, where the slices have one.
    shape, spacing_mm : tuple or None
        Where known although there is no grid.
    grid : Grid or None
    missing_slices : tuple of int
        See `SeriesInfo.missing_slices`.
    contrast : Contrast or None
        Where the source itself says what it shows.
    load : callable or None
        Reads the pixels. None where there is no grid.
    unfit : tuple of Exclusion
        Why the reader leaves it out for what it is (a localizer, a mosaic, no image): nothing further is
        asked.
    broken : tuple of Exclusion
        What is wrong with its geometry.
    notes : tuple of str
        Warnings that hold if it is used.
    """

    acquisition: Acquisition
    description: str = field(repr=False)
    words: str = field(repr=False)
    paths: tuple[Path, ...]
    order: tuple[object, ...]
    normal: NDArray[np.float64] | None = None
    shape: tuple[int, int, int] | None = None
    spacing_mm: tuple[float, float, float] | None = None
    grid: Grid | None = None
    missing_slices: tuple[int, ...] = ()
    contrast: Contrast | None = None
    load: Callable[[], Loaded] | None = None
    unfit: tuple[Exclusion, ...] = ()
    broken: tuple[Exclusion, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class IndexedSeries(SeriesSource):
    """A series as indexed, and how to read it.

    Attributes
    ----------
    load : callable or None
        Reads the pixels; None for excluded series.
    notes : tuple of str
        Warnings that hold if it is used.
    """

    load: Callable[[], Loaded] | None = None
    notes: tuple[str, ...] = ()


def index_series(candidates: Iterable[Candidate], config: IoConfig, choice: Choice) -> tuple[IndexedSeries, ...]:
    """Give every candidate a role, a verdict and a name; sorted by name.

    What the user chose needs a place and a size only: what it shows is the user's word.

    Raises
    ------
    InputError
        ``choice_ambiguous``, see `Choice`.
    """
    ordered = sorted(candidates, key=lambda candidate: candidate.order)
    roles = [_role(candidate, config) for candidate in ordered]
    names = _names(ordered, roles)
    chosen = choice.roles([_choosable(*item, config) for item in zip(ordered, names, strict=True)])
    for index, given in chosen.items():
        ordered[index], roles[index] = replace(ordered[index], unfit=()), given
    result = []
    for index, (name, candidate, role) in enumerate(zip(_names(ordered, roles), ordered, roles, strict=True)):
        objection = None if index in chosen else choice.objection(role)
        reasons = _reasons(candidate, role, config, chosen=index in chosen, objection=objection)
        result.append(_indexed(name, candidate, role, reasons))
    return tuple(sorted(result, key=lambda source: _natural(source.info.name)))


def _role(candidate: Candidate, config: IoConfig) -> SeriesRole | None:
    return None if candidate.unfit else _reading(candidate, config)


def _reading(candidate: Candidate, config: IoConfig) -> SeriesRole | None:
    if candidate.normal is None:
        return None
    plane = plane_of(candidate.normal)
    if candidate.contrast is not None:
        return SeriesRole(contrast=candidate.contrast, plane=plane, score=1.0, reasons=("Its description says so.",))
    return assign_role(candidate.acquisition, plane, candidate.words, config)


def _choosable(candidate: Candidate, name: str, config: IoConfig) -> Choosable:
    reading = None if candidate.load is None else _reading(candidate, config)
    return Choosable(name, candidate.paths, reading, fit=not candidate.unfit)


def _names(candidates: Sequence[Candidate], roles: Sequence[SeriesRole | None]) -> list[str]:
    seen: Counter[str] = Counter()
    names = []
    for base in map(_base_name, candidates, roles):
        seen[base] += 1
        names.append(base if seen[base] == 1 else f"{base}_{seen[base]}")
    return names


def _base_name(candidate: Candidate, role: SeriesRole | None) -> str:
    contrast = role.contrast.value if role else "OTHER"
    if candidate.normal is None:
        return contrast
    return f"{_PLANE_PREFIX[plane_of(candidate.normal)]}_{contrast}"


def _reasons(
    candidate: Candidate, role: SeriesRole | None, config: IoConfig, *, chosen: bool, objection: Exclusion | None
) -> list[Exclusion]:
    """Return every reason against using a series, the weightiest first."""
    acquisition = Acquisition() if chosen else candidate.acquisition  # the user's word outweighs it
    problems = fitness_problems(acquisition, candidate.grid, role, config)
    return [*candidate.unfit, *candidate.broken, *problems, *([] if objection is None else [objection])]


def _indexed(name: str, candidate: Candidate, role: SeriesRole | None, reasons: list[Exclusion]) -> IndexedSeries:
    excluded = Exclusion(code=reasons[0].code, message=" ".join(r.message for r in reasons)) if reasons else None
    grid = candidate.grid
    info = SeriesInfo(
        name=name,
        role=role,
        acquisition=candidate.acquisition,
        shape=grid.shape if grid else candidate.shape,
        spacing_mm=grid.spacing_mm if grid else candidate.spacing_mm,
        files=len(set(candidate.paths)),
        excluded=excluded,
        missing_slices=candidate.missing_slices,
    )
    return IndexedSeries(
        info=info,
        paths=candidate.paths,
        grid=None if excluded else grid,
        description=candidate.description,
        load=None if excluded else candidate.load,
        notes=candidate.notes,
    )


def _natural(name: str) -> tuple[str, int]:
    base, _, last = name.rpartition("_")
    return (base, int(last)) if last.isdigit() else (name, 1)
