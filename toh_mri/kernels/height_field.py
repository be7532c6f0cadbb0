"""Which part of each voxel lies inside a height field in head-neck coordinates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toh_mri.kernels._jit import kernel


@kernel
def _height(distance_mm: NDArray[np.float64], row: float, column: float) -> float:
    """Interpolate the height field; columns close the circle, rows end."""
    rows, columns = distance_mm.shape
    row = min(max(row, 0.0), rows - 1.0)
    j0 = min(int(row), rows - 2)
    wj = row - j0
    before = int(column)
    wi = column - before
    i0, i1 = before % columns, (before + 1) % columns
    upper = (1.0 - wi) * distance_mm[j0, i0] + wi * distance_mm[j0, i1]
    lower = (1.0 - wi) * distance_mm[j0 + 1, i0] + wi * distance_mm[j0 + 1, i1]
    return float((1.0 - wj) * upper + wj * lower)


@kernel
def inside_share(
    to_frame: NDArray[np.float64],
    shape: tuple[int, int, int],
    sub_slices: int,
    distance_mm: NDArray[np.float64],
    head_rows: int,
    row_step_degree: float,
    cone_degree: float,
    tube_start_mm: float,
    tube_step_mm: float,
    core_mm: tuple[float, float, float],
) -> NDArray[np.float32]:
    """Return the share of each voxel's thickness that lies inside a height field or the core beyond it.

    Head rows are inclinations from 180 degrees down in steps of `row_step_degree`, their heights distances from the
    head's centre; tube rows start at `tube_start_mm` along the axis, their heights distances from the axis. Inside
    the cone the head goes on as far as its last row, until the tube begins; a point beside the tube's first rows can
    lie outside the cone, and the tube still holds it.

    Parameters
    ----------
    to_frame : ndarray of float64, shape (3, 4)
        (slice, row, column) to mm from the head's centre along the neck's axis, up and to the front.
    shape : tuple of int
        Slices, rows and columns of the box.
    sub_slices : int
        Places across a slice's thickness at which a voxel is tested.
    distance_mm : ndarray of float64, shape (rows, azimuths)
    head_rows : int
        Rows that belong to the head.
    row_step_degree, cone_degree : float
        Inclination from one head row to the next, and that of the last.
    tube_start_mm, tube_step_mm : float
    core_mm : tuple of float
        A cylinder about the axis: from, to, radius. It ends beyond the last tube row.

    Returns
    -------
    ndarray of float32, shape `shape`
        0..1.
    """
    result = np.zeros(shape, np.float32)
    azimuths = distance_mm.shape[1]
    farthest = max(distance_mm.max(), core_mm[2])
    last = distance_mm.shape[0] - 1.0
    for k in range(shape[0]):
        for sub in range(sub_slices):
            at = k + (sub - (sub_slices - 1) / 2.0) / sub_slices
            for j in range(shape[1]):
                for i in range(shape[2]):
                    along = to_frame[0, 0] * at + to_frame[0, 1] * j + to_frame[0, 2] * i + to_frame[0, 3]
                    up = to_frame[1, 0] * at + to_frame[1, 1] * j + to_frame[1, 2] * i + to_frame[1, 3]
                    front = to_frame[2, 0] * at + to_frame[2, 1] * j + to_frame[2, 2] * i + to_frame[2, 3]
                    across_squared = up * up + front * front
                    if along < -farthest or along > core_mm[1] or across_squared > farthest * farthest:
                        continue
                    across = np.sqrt(across_squared)
                    inside = core_mm[0] < along <= core_mm[1] and across <= core_mm[2]
                    if not inside:
                        column = (np.degrees(np.arctan2(front, up)) % 360.0) * (azimuths / 360.0)
                        tube_row = (along - tube_start_mm) / tube_step_mm + head_rows
                        inclination = np.degrees(np.arctan2(across, along))
                        if inclination >= cone_degree or tube_row < head_rows:
                            row = min((180.0 - inclination) / row_step_degree, head_rows - 1.0)
                            inside = np.sqrt(along * along + across_squared) <= _height(distance_mm, row, column)
                        if not inside and head_rows <= tube_row <= last:
                            inside = across <= _height(distance_mm, tube_row, column)
                    if inside:
                        result[k, j, i] += np.float32(1.0) / np.float32(sub_slices)
    return result
