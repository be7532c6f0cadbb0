"""Line segments linked across slices and series into findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from toh_mri.core.config.lesions import LesionsConfig
from toh_mri.core.hip import Structure
from toh_mri.lesions.lines import Segment

_IN_PLANE_MM = 4.0  # two pictures of one line lie this near each other, slice distance aside
_OVERLAP = 0.3  # share of the shorter one's points that do
_FULL_CONTRAST, _FULL_SLICES = 0.5, 3
_FULL_LENGTH_MM = {
    Structure.BAND: 25.0,  # convention: twice the 12.5 mm from which Vande Berg 1999 called a lesion irreversible
    Structure.SUBCHONDRAL_LINE: 13.4,  # mean of fractures that did not collapse (Iwasaki 2012 BJR)
    Structure.NECK_LINE: 9.0,  # a quarter of the neck's width (JBJS 2018 100:1496; Turk 2002)
}
_ONE_OF_SEVERAL_SERIES = 0.7
_NOT_ON_T1 = 0.6


@dataclass(frozen=True)
class View:
    """What could have shown a line: the number of series, and whether they are single slices (2) or not (3)."""

    series: int
    dimensionality: int


@dataclass(frozen=True)
class Line:
    """Segments that are pictures of one line.

    Attributes
    ----------
    structure : Structure
    segments : tuple of Segment
        Dark, by series, then slice.
    bright : tuple of Segment
        Bright lines beside it on fat-suppressed series (granulation tissue along a band that is dark on T1). They
        only add to the series that show it.
    """

    structure: Structure
    segments: tuple[Segment, ...]
    bright: tuple[Segment, ...] = ()

    @property
    def series(self) -> tuple[str, ...]:
        """Names of the series that show it, dark or bright."""
        return tuple(sorted({s.series for s in (*self.segments, *self.bright)}))

    @property
    def _by_series(self) -> list[list[Segment]]:
        """Dark segments, a list for each series."""
        names = sorted({s.series for s in self.segments})
        return [[s for s in self.segments if s.series == name] for name in names]

    @property
    def length_mm(self) -> float:
        """Longest length within a slice."""
        return max(s.length_mm for s in self.segments)

    @property
    def extent_mm(self) -> float:
        """Largest extent: within a slice, or across the slices of one series."""
        extents = [self.length_mm]
        for mine in self._by_series:
            offset = [float(s.points.mean(axis=0) @ s.across_slices) for s in mine]
            extents.append(max(offset) - min(offset) + mine[0].slice_spacing_mm)
        return max(extents)

    @property
    def slices(self) -> int:
        """Largest number of slices of one series that show it."""
        return max(len({s.slice for s in mine}) for mine in self._by_series)

    @property
    def contrast(self) -> float:
        """Median contrast on the series that shows it best."""
        return max(float(np.median([s.contrast for s in mine])) for mine in self._by_series)

    def confidence(self, view: View, config: LesionsConfig) -> float:
        """How surely this is a line, 0..1.

        The product of shares, each at most 1: contrast, from the least accepted (0) to 0.5 (1); extent over the
        usual length of its kind; slices over 3 (1 for a single-slice study); 0.7 where only one of several
        series shows it; 0.6 where no T1-like series does (a dark line in bright edema may be a gap in the edema).
        Convention: a product, so that one weak leg is enough to doubt.
        """
        needed = 1 if view.dimensionality == 2 else _FULL_SLICES
        least = config.line_minimum_contrast
        share = min(1.0, (self.contrast - least) / max(_FULL_CONTRAST - least, 1e-6))
        share *= min(1.0, self.extent_mm / _FULL_LENGTH_MM[self.structure])
        share *= min(1.0, self.slices / needed)
        if len(self.series) == 1 < view.series:
            share *= _ONE_OF_SEVERAL_SERIES
        if not any(s.t1_like for s in self.segments):
            share *= _NOT_ON_T1
        return round(share, 4)


def link_lines(kinds: Sequence[tuple[Structure, Segment]], view: View, config: LesionsConfig) -> list[Line]:
    """Link segments into lines, and keep those that are long and sure enough; the surest first.

    Two segments belong together where at least 30 % of the shorter one's points lie within 4 mm, plus the slice
    distance of the thicker series, of the other; across missing slices, plus the width of the gap. A line is what
    most of its length is: the shallow ends of a band do not make a subchondral line.
    """
    dark = [(structure, segment) for structure, segment in kinds if segment.dark]
    bright = [segment for structure, segment in kinds if not segment.dark and structure is Structure.BAND]
    lines = [
        _with_bright(_line(group), bright)
        for in_neck in (False, True)
        for group in _groups([item for item in dark if (item[0] is Structure.NECK_LINE) == in_neck])
    ]
    kept = [
        line
        for line in lines
        if line.extent_mm >= config.line_minimum_length_mm
        and line.confidence(view, config) >= config.line_minimum_confidence
    ]
    return sorted(kept, key=lambda line: (-line.confidence(view, config), line.structure, -line.length_mm))


def _line(group: Sequence[tuple[Structure, Segment]]) -> Line:
    lengths: dict[Structure, float] = {}
    for structure, segment in group:
        lengths[structure] = lengths.get(structure, 0.0) + segment.length_mm
    main = max(sorted(lengths), key=lambda structure: lengths[structure])
    return Line(main, tuple(sorted((s for _, s in group), key=lambda s: (s.series, s.slice, -s.length_mm))))


def _with_bright(line: Line, bright: Sequence[Segment]) -> Line:
    """Add the bright lines that lie beside a line seen on a T1-like series."""
    if not any(s.t1_like for s in line.segments):
        return line
    trees = [(s, cKDTree(s.points)) for s in line.segments]
    beside = [b for b in bright if any(_touch(b, s, cKDTree(b.points), tree) for s, tree in trees)]
    return Line(line.structure, line.segments, tuple(beside))


def _groups(items: Sequence[tuple[Structure, Segment]]) -> list[list[tuple[Structure, Segment]]]:
    """Group segments that touch, directly or through others."""
    segments = [segment for _, segment in items]
    trees = [cKDTree(segment.points) for segment in segments]
    pairs = [
        (a, b)
        for a in range(len(segments))
        for b in range(a + 1, len(segments))
        if _touch(segments[a], segments[b], trees[a], trees[b])
    ]
    rows, columns = zip(*pairs, strict=True) if pairs else ((), ())
    graph = coo_array((np.ones(len(pairs)), (rows, columns)), shape=(len(items), len(items)))
    count, number = connected_components(graph, directed=False)
    return [[item for item, n in zip(items, number, strict=True) if n == group] for group in range(count)]


def _touch(a: Segment, b: Segment, tree_a: cKDTree, tree_b: cKDTree) -> bool:
    reach = _IN_PLANE_MM + _slice_distance_mm(a, b)
    short, tree = (a, tree_b) if a.length_mm < b.length_mm else (b, tree_a)
    distance, _ = tree.query(short.points, distance_upper_bound=reach)
    return bool(np.mean(np.isfinite(distance)) >= _OVERLAP)


def _slice_distance_mm(a: Segment, b: Segment) -> float:
    """Distance between slices that come next to each other; wider where slices are missing between the two."""
    if a.series == b.series and abs(a.number - b.number) == 1:
        return abs(a.slice - b.slice) * a.slice_spacing_mm
    return max(a.slice_spacing_mm, b.slice_spacing_mm)
