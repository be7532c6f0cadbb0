"""Whether points lie inside a height field in head-neck coordinates, again: in patient space, point by point."""

import numpy as np
from scipy import ndimage

from toh_mri.segmentation.lollipop import ROW_STEP_DEGREE

CONE_DEGREE, TUBE_START, TUBE_END, TUBE_STEP_MM = 48.0, 0.72, 2.0, 1.2
CORE_END, CORE_RADIUS = 2.5, 0.5


def contains(frame, points, distance_mm):
    """Which LPS points, shape (n, 3), lie inside the height field, up to its last row."""
    relative = points - frame.centre
    along = relative @ frame.axis
    sideways, forward = relative @ frame.up, relative @ frame.front
    across = np.hypot(sideways, forward)
    distance = np.hypot(across, along)
    column = np.degrees(np.arctan2(forward, sideways)) % 360.0 * (distance_mm.shape[1] / 360.0)
    inclination = np.degrees(np.arctan2(across, along))
    wrapped = np.concatenate([distance_mm, distance_mm[:, :1]], axis=1)

    def reach(row):
        return ndimage.map_coordinates(wrapped, [row, column], order=1, mode="nearest")

    tube_row = (along - TUBE_START * frame.radius_mm) / TUBE_STEP_MM + frame.head_rows
    # Inside the cone the head goes on as far as its last row, until the tube begins.
    head_row = np.minimum((180.0 - inclination) / ROW_STEP_DEGREE, frame.head_rows - 1)
    of_head = (inclination >= CONE_DEGREE) | (tube_row < frame.head_rows)
    in_head = of_head & (distance <= reach(head_row))
    # A point beside the tube's first rows can lie outside the cone; the tube still holds it.
    last = len(distance_mm) - 1
    in_tube = (tube_row >= frame.head_rows) & (tube_row <= last)
    return in_head | (in_tube & (across <= reach(np.clip(tube_row, frame.head_rows, last))))


def in_core(frame, points):
    """Which LPS points, shape (n, 3), lie in the trochanteric core, which overlaps the tube's end."""
    relative = points - frame.centre
    along = relative @ frame.axis / frame.radius_mm
    across = np.hypot(relative @ frame.up, relative @ frame.front) / frame.radius_mm
    return (along > TUBE_END - 0.1) & (along <= CORE_END) & (across <= CORE_RADIUS)


def inside_share(frame, distance_mm, grid, sub_slices):
    """Share of the places across each voxel's thickness that lie inside, shape `grid.shape`."""
    index = np.stack(np.indices(grid.shape), axis=-1).reshape(-1, 3).astype(float)
    share = np.zeros(len(index))
    for sub in range(sub_slices):
        shift = (sub - (sub_slices - 1) / 2) / sub_slices
        points = grid.to_world(index + np.array([shift, 0, 0]))
        share += contains(frame, points, distance_mm) | in_core(frame, points)
    return (share / sub_slices).reshape(grid.shape)
