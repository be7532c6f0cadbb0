"""From the frames of a series to stacks, and from a stack to its grid.

Slices are ordered by their position along the slice normal, never by InstanceNumber. The slice spacing is the
distance between positions, never SliceThickness. Nothing is interpolated, filled in or left out in silence.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from toh_mri.core.errors import GeometryError
from toh_mri.geometry import Grid
from toh_mri.io.dicom_header import Frame

_SAME_DIRECTION = 1e-3  # largest difference of a direction cosine within a stack
_SAME_POSITION_MM = 0.01
_ROUNDING_MM = 0.02  # positions are often written with two decimals
_WHOLE_GAP = 0.1  # a gap this close to a multiple of the spacing is missing slices
_CLEARLY_LARGER = 1.5
_SHEAR_COSINE = 1e-3
_LISTED = 5


def split_into_stacks(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Divide a series by orientation, matrix, pixel size, echo, image type, b-value and time."""
    directions: list[NDArray[np.float64]] = []
    stacks: dict[tuple[object, ...], list[Frame]] = {}
    for frame in frames:
        pixel = None if frame.pixel_mm is None else tuple(round(size, 4) for size in frame.pixel_mm)
        key = (_direction_index(frame, directions), frame.rows, frame.columns, pixel, frame.kind)
        stacks.setdefault(key, []).append(frame)
    return list(stacks.values())


def orientation_count(frames: Sequence[Frame]) -> int:
    """Return the number of different slice orientations."""
    directions: list[NDArray[np.float64]] = []
    return len({_direction_index(frame, directions) for frame in frames})


def stack_grid(frames: Sequence[Frame], tolerance_fraction: float) -> tuple[list[Frame], Grid]:
    """Order the frames of one stack along the slice normal and return them with their grid.

    Parameters
    ----------
    frames : sequence of Frame
        Of one orientation, matrix and pixel size, as `split_into_stacks` gives them.
    tolerance_fraction : float
        Largest deviation of a slice distance from the median one.

    Raises
    ------
    GeometryError
        ``no_geometry``, ``duplicate_slices``, ``missing_slices``, ``uneven_spacing``, ``sheared``,
        ``invalid_grid``.
    """
    first = frames[0]
    normal = first.normal
    positions = [frame.position for frame in frames if frame.position is not None]
    if normal is None or first.orientation is None or first.pixel_mm is None or len(positions) != len(frames):
        raise GeometryError(
            "no_geometry",
            f"Of its {len(frames)} images {len(frames) - len(positions)} have no position"
            f"{'' if normal is not None else ', and they have no orientation'}"
            f"{'' if first.pixel_mm is not None else ', and no pixel spacing'}.",
            "Export the series again with its geometry attributes.",
        )
    points = np.array(positions)
    order = np.argsort(points @ normal, kind="stable")
    points = points[order]
    along = points @ normal
    _check_duplicates(along)
    _check_distances(along, tolerance_fraction)
    if len(frames) > 1:
        step = (points[-1] - points[0]) / (len(frames) - 1)
        _check_shear(step, normal, first)
    else:
        step = normal * (first.acquisition.slice_thickness_mm or 1.0)
    affine = np.eye(4)
    affine[:3, 0] = step
    affine[:3, 1] = first.orientation[1] * first.pixel_mm[0]
    affine[:3, 2] = first.orientation[0] * first.pixel_mm[1]
    affine[:3, 3] = points[0]
    return [frames[i] for i in order], Grid((len(frames), first.rows, first.columns), affine)


def _direction_index(frame: Frame, directions: list[NDArray[np.float64]]) -> int:
    if frame.orientation is None:
        return -1
    for index, known in enumerate(directions):
        if np.abs(frame.orientation - known).max() < _SAME_DIRECTION:
            return index
    directions.append(frame.orientation)
    return len(directions) - 1


def _check_duplicates(along: NDArray[np.float64]) -> None:
    repeated = np.flatnonzero(np.diff(along) < _SAME_POSITION_MM)
    if len(repeated) == 0:
        return
    raise GeometryError(
        "duplicate_slices",
        f"{len(repeated)} of its {len(along)} images lie where another one lies "
        f"(at {_listed(along[repeated])} mm along the slice normal).",
        "Several time points, echoes or reconstructions share this series; export each as its own.",
        {"positions_mm": [round(float(p), 3) for p in along[repeated]]},
    )


def _check_distances(along: NDArray[np.float64], tolerance_fraction: float) -> None:
    gaps = np.diff(along)
    if len(gaps) < 2 or np.ptp(gaps) == 0.0:
        return
    usual = float(np.median(gaps))
    if np.abs(gaps - usual).max() <= max(tolerance_fraction * usual, _ROUNDING_MM):
        return
    # The usual distance may be a doubled one (every other slice lost), so the smallest ones set the step.
    step = float(np.median(gaps[gaps < _CLEARLY_LARGER * gaps.min()]))
    multiples = np.round(gaps / step)
    if np.abs(gaps / step - multiples).max() <= _WHOLE_GAP and multiples.max() >= 2:
        missing = int((multiples - 1).sum())
        count = "1 slice is" if missing == 1 else f"{missing} slices are"
        where, context = _gaps(along, np.flatnonzero(multiples >= 2), step)
        raise GeometryError(
            "missing_slices",
            f"{count} missing: slices lie {step:.3g} mm apart, but {where} along the slice normal.",
            "Export the series again, completely.",
            context | {"missing": missing},
        )
    odd = np.flatnonzero(np.abs(gaps - usual) > max(tolerance_fraction * usual, _ROUNDING_MM))
    where, context = _gaps(along, odd, usual)
    raise GeometryError(
        "uneven_spacing",
        f"Its slices are unevenly spaced: usually {usual:.3g} mm apart, but {where} along the slice normal.",
        "Several stacks may share this series, or slices are missing; export the series again.",
        context,
    )


def _gaps(along: NDArray[np.float64], which: NDArray[np.intp], step: float) -> tuple[str, dict[str, object]]:
    """Describe the gaps after the given slices, in words and in numbers."""
    ends = [(float(along[i]), float(along[i + 1])) for i in which]
    words = ", ".join(f"{b - a:.3g} mm between {a:.2f} and {b:.2f} mm" for a, b in ends[:_LISTED])
    more = f", and {len(ends) - _LISTED} more" if len(ends) > _LISTED else ""
    context: dict[str, object] = {
        "usual_distance_mm": round(step, 4),
        "gaps_mm": [(round(a, 3), round(b, 3)) for a, b in ends],
    }
    return words + more, context


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
