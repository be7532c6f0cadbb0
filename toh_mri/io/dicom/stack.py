"""From the frames of a stack to its grid.

Slices are ordered by their position along the slice normal, never by InstanceNumber. The slice spacing is the
distance between positions, never SliceThickness. Nothing is filled in or left out in silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toh_mri.core.config.io import IoConfig
from toh_mri.core.errors import GeometryError
from toh_mri.geometry import Grid
from toh_mri.io.dicom.header import Frame
from toh_mri.io.dicom.split import SAME_POSITION_MM

_ROUNDING_MM = 0.09  # along an oblique normal, of positions that are written with one decimal
_WHOLE_GAP = 0.1  # a gap this close to a multiple of the spacing is missing slices
_CLEARLY_LARGER = 1.5
_SHEAR_COSINE = 1e-3
_MOST_MULTIPLES = 4  # SpacingBetweenSlices is compared with half to a quarter of the distance
_LISTED = 5


@dataclass(frozen=True)
class Stack:
    """Frames in slice order and their grid.

    Attributes
    ----------
    frames : tuple of Frame
    slices : tuple of int
        Index of each frame's slice in the grid.
    grid : Grid
    """

    frames: tuple[Frame, ...]
    slices: tuple[int, ...]
    grid: Grid

    @property
    def missing_slices(self) -> tuple[int, ...]:
        """Slices of the grid that no frame shows."""
        return tuple(sorted(set(range(self.grid.shape[0])) - set(self.slices)))


def stack_of(frames: Sequence[Frame], config: IoConfig) -> Stack:
    """Order the frames of one stack along the slice normal and find their grid.

    Parameters
    ----------
    frames : sequence of Frame
        Of one orientation, matrix and pixel size, as `dicom.split.split_into_stacks` gives them.
    config : IoConfig
        With `allow_missing_slices`, slices missing inside the stack keep their place in the grid.

    Raises
    ------
    GeometryError
        ``no_geometry``, ``duplicate_slices``, ``missing_slices``, ``uneven_spacing``, ``misplaced_slices``,
        ``sheared``, ``invalid_grid``.
    """
    first = frames[0]
    normal = first.normal
    positions = [frame.position for frame in frames if frame.position is not None]
    if normal is None or first.orientation is None or first.pixel_mm is None or len(positions) != len(frames):
        lacking = {
            "position": len(positions) != len(frames),
            "orientation (two unit vectors)": normal is None,
            "pixel spacing": first.pixel_mm is None,
        }
        what = ", no ".join(name for name, lacks in lacking.items() if lacks)
        raise GeometryError(
            "no_geometry",
            f"{len(frames)} of its images have no usable {what}.",
            "Export the series again with its geometry attributes.",
        )
    points = np.array(positions)
    order = np.argsort(points @ normal, kind="stable")
    points = points[order]
    slices = _slice_numbers(points @ normal, config)
    step = normal * (first.acquisition.slice_thickness_mm or 1.0)
    if len(frames) > 1:
        step = (points[-1] - points[0]) / slices[-1]
        _check_straightness(points - points[0] - np.outer(slices, step), points @ normal, step, config)
    _check_shear(step, normal, first)
    affine = np.eye(4)
    affine[:3, 0] = step
    affine[:3, 1] = first.orientation[1] * first.pixel_mm[0]
    affine[:3, 2] = first.orientation[0] * first.pixel_mm[1]
    affine[:3, 3] = points[0]
    grid = Grid((int(slices[-1]) + 1, first.rows, first.columns), affine)
    return Stack(tuple(frames[i] for i in order), tuple(slices.tolist()), grid)


def spacing_note(stack: Stack) -> str:
    """Say where the distance of the slices is a multiple of what the header claims; empty where it is not.

    Every other slice lost leaves an even stack, which nothing else betrays.
    """
    claimed = stack.frames[0].claimed_spacing_mm
    thickness = stack.frames[0].acquisition.slice_thickness_mm or 0.0
    if len(stack.frames) < 2 or not claimed or claimed < 0.99 * thickness:  # some write the gap alone here
        return ""
    distance = stack.grid.spacing_mm[0]
    multiple = round(distance / claimed)
    if not 2 <= multiple <= _MOST_MULTIPLES or abs(distance / claimed - multiple) > _WHOLE_GAP:
        return ""
    return (
        f"Its slices lie {distance:.3g} mm apart, {multiple} times the {claimed:.3g} mm of SpacingBetweenSlices: "
        "slices may be missing."
    )


def _slice_numbers(along: NDArray[np.float64], config: IoConfig) -> NDArray[np.int_]:
    """Return the index of each slice, shape (n,); `along` holds their places along the normal, ascending, in mm."""
    _check_duplicates(along)
    gaps = np.diff(along)
    if len(gaps) < 2:
        return np.arange(len(along))
    # The usual distance may be a doubled one (every other slice lost), so the smallest ones set the step.
    step = float(np.median(gaps[gaps < _CLEARLY_LARGER * gaps.min()]))
    multiples = np.maximum(np.round(gaps / step), 1.0)
    numbers = np.concatenate([[0.0], np.cumsum(multiples)])
    step, start = np.polyfit(numbers, along, 1)
    off = float(np.abs(along - (start + step * numbers)).max())
    missing = int(numbers[-1]) + 1 - len(along)
    if off <= max(config.spacing_tolerance_fraction * step, _ROUNDING_MM):
        if missing == 0 or (config.allow_missing_slices and missing <= len(along)):
            return np.asarray(numbers, dtype=int)
        raise _missing(along, multiples, step)
    if missing > 0 and np.abs(gaps / step - multiples).max() <= _WHOLE_GAP:
        raise _missing(along, multiples, step)
    usual = float(np.median(gaps))
    odd = np.abs(gaps - usual) > max(config.spacing_tolerance_fraction * usual, _ROUNDING_MM)
    gaps_text = _gaps(along, np.flatnonzero(odd), usual)
    raise GeometryError(
        "uneven_spacing",
        f"Its slices are unevenly spaced: usually {usual:.3g} mm apart, but {gaps_text.words} along the slice normal.",
        "Several stacks may share this series, or slices are missing; export the series again.",
        gaps_text.context,
    )


def _check_duplicates(along: NDArray[np.float64]) -> None:
    repeated = np.flatnonzero(np.diff(along) < SAME_POSITION_MM)
    if len(repeated) == 0:
        return
    raise GeometryError(
        "duplicate_slices",
        f"{len(repeated)} of its {len(along)} images lie where another one lies "
        f"(at {_listed(along[repeated])} mm along the slice normal), and nothing tells them apart.",
        "Several time points, echoes or reconstructions may share this series; export each as its own.",
        {"positions_mm": [round(float(p), 3) for p in along[repeated]]},
    )


def _missing(along: NDArray[np.float64], multiples: NDArray[np.float64], step: float) -> GeometryError:
    missing = int((multiples - 1).sum())
    count = "1 slice is" if missing == 1 else f"{missing} slices are"
    gaps = _gaps(along, np.flatnonzero(multiples >= 2), step)
    hint = "Export the series again, completely; or go on without them (--allow-missing-slices)."
    return GeometryError(
        "missing_slices",
        f"{count} missing: slices lie {step:.3g} mm apart, but {gaps.words} along the slice normal.",
        hint if missing <= len(along) else "Export the series again, completely: more is missing than there.",
        gaps.context | {"missing": missing},
    )


class _Gaps(NamedTuple):
    words: str
    context: dict[str, object]


def _gaps(along: NDArray[np.float64], which: NDArray[np.intp], step: float) -> _Gaps:
    """Describe the gaps after the given slices, in words and in numbers."""
    ends = [(float(along[i]), float(along[i + 1])) for i in which]
    words = ", ".join(f"{b - a:.3g} mm between {a:.2f} and {b:.2f} mm" for a, b in ends[:_LISTED])
    more = f", and {len(ends) - _LISTED} more" if len(ends) > _LISTED else ""
    context: dict[str, object] = {
        "usual_distance_mm": round(step, 4),
        "gaps_mm": [(round(a, 3), round(b, 3)) for a, b in ends],
    }
    return _Gaps(words + more, context)


def _check_straightness(
    residual: NDArray[np.float64], along: NDArray[np.float64], step: NDArray[np.float64], config: IoConfig
) -> None:
    """Refuse slices off the line from the first to the last one; `residual` has shape (n, 3), in mm."""
    off = np.linalg.norm(residual, axis=1)
    # Uneven distances within the tolerance may add up along the stack.
    limit = max(config.spacing_tolerance_fraction * float(np.linalg.norm(step)) * len(off) / 2, 2 * _ROUNDING_MM)
    wrong = np.flatnonzero(off > limit)
    if len(wrong) > 0:
        raise GeometryError(
            "misplaced_slices",
            f"{len(wrong)} of its {len(off)} slices lie off the line of the others, by up to {off.max():.3g} mm "
            f"(at {_listed(along[wrong])} mm along the slice normal).",
            "Two stacks may share this series, or the patient was moved; export each stack as its own series.",
            {"positions_mm": [round(float(p), 3) for p in along[wrong]]},
        )


def _check_shear(step: NDArray[np.float64], normal: NDArray[np.float64], frame: Frame) -> None:
    sideways = step - (step @ normal) * normal
    cosine = float(np.linalg.norm(sideways) / np.linalg.norm(step))
    if cosine > _SHEAR_COSINE:
        raise GeometryError(
            "sheared",
            f"Its slices are shifted sideways by {np.linalg.norm(sideways):.3g} mm from one to the next "
            f"({np.degrees(np.arcsin(min(cosine, 1.0))):.2g} degrees).",
            "A tilted stack cannot be measured without resampling it; reformat it to a right-angled stack.",
        )
    skew = 0.0 if frame.orientation is None else abs(float(frame.orientation[0] @ frame.orientation[1]))
    if skew > _SHEAR_COSINE:
        raise GeometryError("sheared", "Its rows and columns are not at right angles.")


def _listed(values: NDArray[np.float64]) -> str:
    text = ", ".join(f"{value:.2f}" for value in values[:_LISTED])
    return text if len(values) <= _LISTED else f"{text} and {len(values) - _LISTED} more"
