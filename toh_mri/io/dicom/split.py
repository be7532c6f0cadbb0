"""A DICOM series to its stacks: one series may hold several echoes, orientations, time points or slabs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toh_mri.io.dicom.header import REPEAT_KEYWORDS, Frame

SAME_POSITION_MM = 0.01

_SAME_DIRECTION = 1e-3  # largest difference of a direction cosine within a stack
_SIDE_BY_SIDE_MM = 20.0  # images whose corners lie this far apart in-plane belong to stacks beside each other
_SLAB_GAP_MM = 40.0  # a wider bare region parts two slabs (both hips, sagittal); a narrower one is missing slices
_SLAB_GAP_STEPS = 5.0


class Part(NamedTuple):
    """Frames of one stack, and how they were told from the others of their series (empty where they are alone)."""

    frames: tuple[Frame, ...]
    note: str


def split_into_stacks(frames: Sequence[Frame]) -> list[Part]:
    """Divide a series by orientation, matrix, pixel size, echo, image type, b-value and time, then by position.

    Frames at one place that none of these tells apart are divided by in-plane position, else by echo number,
    acquisition number, trigger time, or the order of InstanceNumber where it leaves no doubt. Slabs with a wide bare
    region between them become stacks of their own.
    """
    directions: list[NDArray[np.float64]] = []
    stacks: dict[tuple[object, ...], list[Frame]] = {}
    for frame in frames:
        pixel = None if frame.pixel_mm is None else tuple(round(size, 4) for size in frame.pixel_mm)
        key = (_direction_index(frame, directions), frame.rows, frame.columns, pixel, frame.kind)
        stacks.setdefault(key, []).append(frame)
    return [part for stack in stacks.values() for part in _by_position(stack)]


def orientation_count(frames: Sequence[Frame]) -> int:
    """Return the number of different slice orientations."""
    directions: list[NDArray[np.float64]] = []
    return len({_direction_index(frame, directions) for frame in frames})


def _direction_index(frame: Frame, directions: list[NDArray[np.float64]]) -> int:
    if frame.orientation is None:
        return -1
    for index, known in enumerate(directions):
        if frame.orientation is known or np.abs(frame.orientation - known).max() < _SAME_DIRECTION:
            return index
    directions.append(frame.orientation)
    return len(directions) - 1


def _by_position(frames: Sequence[Frame]) -> Iterator[Part]:
    if frames[0].orientation is None or any(frame.position is None for frame in frames):
        yield Part(tuple(frames), "")
        return
    beside = _side_by_side(frames)
    for group in beside:
        repeats, how = _repeats(group)
        for repeat in repeats:
            slabs = _slabs(repeat)
            ways = [how] if how else []
            ways += ["in-plane position"] * (len(beside) > 1) + [f"gaps over {_SLAB_GAP_MM:g} mm"] * (len(slabs) > 1)
            count = len(beside) * len(repeats) * len(slabs)
            note = f"Its series holds {count} stacks, told apart by {' and '.join(ways)}." if ways else ""
            yield from (Part(tuple(slab), note) for slab in slabs)


def _along(frames: Sequence[Frame], axis: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([frame.position for frame in frames], dtype=np.float64) @ axis


def _side_by_side(frames: Sequence[Frame]) -> list[list[Frame]]:
    groups = [list(frames)]
    for axis in frames[0].orientation if frames[0].orientation is not None else ():
        groups = [part for group in groups for part in _cut(group, _along(group, axis), _SIDE_BY_SIDE_MM)]
    return groups


def _slabs(frames: Sequence[Frame]) -> list[list[Frame]]:
    normal = frames[0].normal
    if normal is None:
        return [list(frames)]
    along = _along(frames, normal)
    steps = np.diff(np.sort(along))
    usual = float(np.median(steps)) if len(steps) else 0.0
    return _cut(frames, along, max(_SLAB_GAP_MM, _SLAB_GAP_STEPS * usual))


def _cut(frames: Sequence[Frame], along: NDArray[np.float64], gap_mm: float) -> list[list[Frame]]:
    """Sort frames by a coordinate, shape (n,), in mm, and divide them where it leaps."""
    order = np.argsort(along, kind="stable")
    leaps = np.flatnonzero(np.diff(along[order]) > gap_mm) + 1
    return [[frames[i] for i in part] for part in np.split(order, leaps)]


def _repeats(frames: list[Frame]) -> tuple[list[list[Frame]], str]:
    """Divide frames that lie at one place more than once; unchanged where nothing tells them apart."""
    normal = frames[0].normal
    if normal is None:
        return [frames], ""
    along = _along(frames, normal)
    order = np.argsort(along, kind="stable")
    places = np.empty(len(frames), dtype=int)
    places[order] = np.concatenate([[0], np.cumsum(np.diff(along[order]) >= SAME_POSITION_MM)])
    most = max(Counter(places.tolist()).values())
    if most == 1:
        return [frames], ""
    for index, keyword in enumerate(REPEAT_KEYWORDS):
        values: list[Hashable] = [frame.repeat[index] for frame in frames]
        if keyword == "InstanceNumber":
            values = _turns(values, places)
        groups: dict[Hashable, list[int]] = {}
        for number, value in enumerate(values):
            groups.setdefault(value, []).append(number)
        if len(groups) == most and all(_is_stack(places[group], len(set(places))) for group in groups.values()):
            return [[frames[i] for i in group] for group in groups.values()], keyword
    return [frames], ""


def _is_stack(places: NDArray[np.int_], count: int) -> bool:
    """Tell whether images lie at different places, and at most of the places there are: a few are no stack."""
    return len(set(places)) == len(places) and 2 * len(places) > count


def _turns(instances: Sequence[Hashable], places: NDArray[np.int_]) -> list[Hashable]:
    """Return for each frame how often its place came before it, in the order of InstanceNumber.

    Only where that order is plain: the whole stack again and again, or all repeats of a place and then the next
    place. Anything else might mix what does not belong together: then all take the same turn.
    """
    nothing: list[Hashable] = [0] * len(instances)
    if None in instances or len(set(instances)) != len(instances):
        return nothing
    order = sorted(range(len(instances)), key=lambda i: float(str(instances[i])))
    seen: Counter[int] = Counter()
    turns = dict.fromkeys(order, 0)
    for i in order:
        turns[i] = seen[int(places[i])]
        seen[int(places[i])] += 1
    in_order = [turns[i] for i in order]
    place_order = places[order]
    stack_by_stack = in_order == sorted(in_order)
    place_by_place = int(np.count_nonzero(np.diff(place_order))) == len(seen) - 1
    return [turns[i] for i in range(len(instances))] if stack_by_stack or place_by_place else nothing
