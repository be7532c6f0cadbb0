"""From what a format's reader found to the series of a study: role, fitness for a hip study, name.

Every format's reader (DICOM, NIfTI) describes the series it found as a `Candidate`; everything that does not
depend on the format happens here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toh_mri.core.config.io import IoConfig
from toh_mri.core.study import Acquisition, Exclusion, SeriesInfo, SeriesRole, SeriesSource, SlicePlane
from toh_mri.geometry import Grid, Image
from toh_mri.io.fitness import fitness_problems
from toh_mri.io.roles import assign_role, plane_of

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


def index_series(candidates: Iterable[Candidate], config: IoConfig) -> tuple[IndexedSeries, ...]:
    """Give every candidate a role, a verdict and a name; sorted by name."""
    seen: Counter[str] = Counter()
    result = []
    for candidate in sorted(candidates, key=lambda c: c.order):
        role = _role(candidate, config)
        base = _base_name(candidate, role)
        seen[base] += 1
        name = base if seen[base] == 1 else f"{base}_{seen[base]}"
        result.append(_indexed(name, candidate, role, config))
    return tuple(sorted(result, key=lambda source: _natural(source.info.name)))


def _role(candidate: Candidate, config: IoConfig) -> SeriesRole | None:
    if candidate.unfit or candidate.normal is None:
        return None
    return assign_role(candidate.acquisition, plane_of(candidate.normal), candidate.words, config)


def _base_name(candidate: Candidate, role: SeriesRole | None) -> str:
    contrast = role.contrast.value if role else "OTHER"
    if candidate.normal is None:
        return contrast
    return f"{_PLANE_PREFIX[plane_of(candidate.normal)]}_{contrast}"


def _indexed(name: str, candidate: Candidate, role: SeriesRole | None, config: IoConfig) -> IndexedSeries:
    problems = fitness_problems(candidate.acquisition, candidate.grid, role, config)
    reasons = [*candidate.unfit, *candidate.broken, *problems]
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
