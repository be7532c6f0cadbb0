"""A DICOM series to its stacks: one series may hold several echoes, orientations, time points or slabs.

What images show, how they lie and how large they are divides them always. Everything else (echo, time, stack number,
acquisition) divides them only where images lie at one place, or where parallel stacks are numbered: scanners let such
values change from slice to slice, and half of a stack looks like a whole one at twice the distance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toh_mri.io.dicom.header import Frame

SAME_POSITION_MM = 0.1  # no MR slices lie closer to each other

_SAME_DIRECTION = 2e-3  # largest difference of a direction cosine within a stack
_SIDE_BY_SIDE_MM = 20.0  # images whose corners lie this far apart in-plane belong to stacks beside each other
_SLAB_GAP_MM = 40.0  # a wider bare region parts two sagittal slabs, one for each hip; a narrower one is missing slices
_SAGITTAL = 0.7  # the normal's part along left and right
_SLAB_GAP_STEPS = 5.0
_EVEN = 0.1  # largest deviation of a distance from the usual one, as a share of it
_SAME_ECHO_MS = 0.5
_MOST_PLACES = 0.75  # a part with fewer of the places is no stack of its own

_Way = tuple[str, Callable[[Sequence[Frame]], list[Hashable]]]


class Part(NamedTuple):
    """Frames of one stack, and how they were told from the others of their series (empty where they are alone)."""

    frames: tuple[Frame, ...]
    note: str


def split_into_stacks(frames: Sequence[Frame]) -> list[Part]:
    """Divide the frames of a series into stacks.

    By orientation, matrix, pixel size and what the images show; then by in-plane position; then images at one place by
    time point, echo time, stack, image type, echo number, acquisition number, trigger time, or the order of
    InstanceNumber where it leaves no doubt; then where a wide bare region lies between two sagittal slabs.
    """
    directions = _Directions()
    alike: dict[tuple[object, ...], list[Frame]] = {}
    for frame in frames:
        pixel = None if frame.pixel_mm is None else tuple(round(size, 4) for size in frame.pixel_mm)
        geometry = (directions.index(frame), frame.rows, frame.columns, pixel, frame.position is None)
        whole = frame.pixels is None or frame.pixels.frames == frame.described_frames
        what = (frame.kind.shows, frame.kind.b_value, frame.is_picture, whole)
        alike.setdefault((*geometry, *what), []).append(frame)
    return [part for group in alike.values() for part in _by_position(group)]


def orientation_counts(frames: Sequence[Frame], tolerance: float) -> list[int]:
    """Return how many frames have each of the different slice orientations, to within a difference of cosines."""
    directions = _Directions(tolerance)
    return sorted(Counter(directions.index(frame) for frame in frames).values())


class _Directions:
    """Numbers orientations as they come; those within the tolerance of a known one share its number."""

    def __init__(self, tolerance: float = _SAME_DIRECTION) -> None:
        self._tolerance = tolerance
        self._known = np.empty((0, 2, 3))

    def index(self, frame: Frame) -> int:
        """Return the number of a frame's orientation; -1 where it has none."""
        if frame.orientation is None:
            return -1
        near = np.abs(self._known - frame.orientation).max(axis=(1, 2), initial=0.0) < self._tolerance
        if not near.any():
            self._known = np.concatenate([self._known, frame.orientation[np.newaxis]])
            return len(near)
        return int(near.argmax())


def _by_position(frames: list[Frame]) -> Iterator[Part]:
    if frames[0].orientation is None or frames[0].position is None:
        yield Part(tuple(frames), "")
        return
    beside = _side_by_side(frames)
    for group in beside:
        stacks, ways = _divided(group, _WAYS)
        for stack in stacks:
            slabs = _slabs(stack)
            how = [*ways, *(["in-plane position"] if len(beside) > 1 else [])]
            how += [f"gaps over {_SLAB_GAP_MM:g} mm"] if len(slabs) > 1 else []
            note = f"Its series holds several stacks, told apart by {' and '.join(how)}." if how else ""
            yield from (Part(tuple(slab), note) for slab in slabs)


def _along(frames: Sequence[Frame], axis: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([frame.position for frame in frames], dtype=np.float64) @ axis


def _side_by_side(frames: list[Frame]) -> list[list[Frame]]:
    groups = [frames]
    for axis in frames[0].orientation if frames[0].orientation is not None else ():
        groups = [part for group in groups for part in _cut(group, _along(group, axis), _SIDE_BY_SIDE_MM)]
    return groups


def _slabs(frames: list[Frame]) -> list[list[Frame]]:
    normal = frames[0].normal
    if normal is None or abs(float(normal[0])) < _SAGITTAL:
        return [frames]
    along = _along(frames, normal)
    steps = np.diff(np.sort(along))
    usual = float(np.median(steps)) if len(steps) > 1 else 0.0
    return _cut(frames, along, max(_SLAB_GAP_MM, _SLAB_GAP_STEPS * usual))


def _cut(frames: list[Frame], along: NDArray[np.float64], gap_mm: float) -> list[list[Frame]]:
    """Sort frames by a coordinate, shape (n,), in mm, and divide them where it leaps."""
    order = np.argsort(along, kind="stable")
    leaps = np.flatnonzero(np.diff(along[order]) > gap_mm) + 1
    return [[frames[i] for i in part] for part in np.split(order, leaps)]


def _divided(frames: list[Frame], ways: Sequence[_Way]) -> tuple[list[list[Frame]], list[str]]:
    """Divide parallel frames until no two of a stack lie at one place; unchanged where nothing tells them apart."""
    places = _places(frames)
    most = max(Counter(places.tolist()).values())
    if most == 1 and _is_even(frames):
        return [frames], []
    for number, (name, way) in enumerate(ways):
        groups: dict[Hashable, list[int]] = {}
        for index, value in enumerate(way(frames)):
            groups.setdefault(value, []).append(index)
        parts = [[frames[i] for i in group] for group in groups.values()]
        if len(parts) == 1 or not _tells_apart(name, parts, [places[group] for group in groups.values()], most):
            continue
        divided = [_divided(part, ways[number + 1 :]) for part in parts]
        names = dict.fromkeys([name, *(inner for _, inner_names in divided for inner in inner_names)])
        return [stack for stacks, _ in divided for stack in stacks], list(names)
    return [frames], []


def _tells_apart(name: str, parts: Sequence[list[Frame]], places: Sequence[NDArray[np.int_]], most: int) -> bool:
    """Tell whether a division makes stacks: each with most of the places and fewer images at any, or numbered ones."""
    every = len(set(np.concatenate(places).tolist()))
    if most == 1:  # parallel stacks that share no place
        return name == _STACK and all(len(part) > 1 and _is_even(part) for part in parts)
    return all(
        len(set(part.tolist())) > _MOST_PLACES * every and max(Counter(part.tolist()).values()) < most
        for part in places
    )


def _places(frames: Sequence[Frame]) -> NDArray[np.int_]:
    """Return the number of each frame's place along the slice normal, shape (n,)."""
    normal = frames[0].normal
    along = _along(frames, normal if normal is not None else np.zeros(3))
    order = np.argsort(along, kind="stable")
    places = np.empty(len(frames), dtype=int)
    places[order] = np.concatenate([[0], np.cumsum(np.diff(along[order]) >= SAME_POSITION_MM)])
    return places


def _is_even(frames: Sequence[Frame]) -> bool:
    normal = frames[0].normal
    gaps = np.diff(np.sort(_along(frames, normal))) if normal is not None else np.empty(0)
    return len(gaps) < 2 or bool(np.abs(gaps - np.median(gaps)).max() <= _EVEN * np.median(gaps))


def _echo_times(frames: Sequence[Frame]) -> list[Hashable]:
    """Return a number for each frame's echo time; times that differ by rounding only share one."""
    times = np.array([frame.kind.echo_time_ms or 0.0 for frame in frames])
    order = np.argsort(times, kind="stable")
    echoes = np.empty(len(frames), dtype=int)
    echoes[order] = np.concatenate([[0], np.cumsum(np.diff(times[order]) > _SAME_ECHO_MS)])
    return list(echoes.tolist())


def _turns(frames: Sequence[Frame]) -> list[Hashable]:
    """Return for each frame how often its place came before it, in the order of InstanceNumber.

    Only where every place has equally many images and their order is plain: the whole stack again and again, or all
    images of a place and then the next place. Anything else might mix what does not belong together: then all take the
    same turn.
    """
    nothing: list[Hashable] = [0] * len(frames)
    instances = [frame.numbers.instance for frame in frames]
    places = _places(frames)
    if None in instances or len(set(instances)) < len(frames) or len(set(Counter(places.tolist()).values())) > 1:
        return nothing
    order = np.argsort(np.array(instances, dtype=np.float64))
    seen: Counter[int] = Counter()
    turns = np.zeros(len(frames), dtype=int)
    for i in order:
        turns[i] = seen[int(places[i])]
        seen[int(places[i])] += 1
    stack_by_stack = bool((np.diff(turns[order]) >= 0).all())
    place_by_place = int(np.count_nonzero(np.diff(places[order]))) == len(seen) - 1
    return list(turns.tolist()) if stack_by_stack or place_by_place else nothing


_STACK = "stack number"
# The most telling first.
_WAYS: tuple[_Way, ...] = (
    ("time point", lambda frames: [frame.kind.time_point for frame in frames]),
    ("echo time", _echo_times),
    (_STACK, lambda frames: [frame.kind.stack for frame in frames]),
    ("image type", lambda frames: [frame.acquisition.image_type for frame in frames]),
    ("EchoNumbers", lambda frames: [frame.numbers.echo for frame in frames]),
    ("AcquisitionNumber", lambda frames: [frame.numbers.acquisition for frame in frames]),
    ("TriggerTime", lambda frames: [frame.numbers.trigger_ms for frame in frames]),
    ("InstanceNumber", _turns),
)
