"""The kernels of fields and of the raster again: slow and obvious, one point at a time, in double precision."""

from itertools import pairwise, product

import numpy as np


def sample_tile(tile, x, y, z, cell_mm):
    out = []
    for at in zip(x, y, z, strict=True):
        place = np.array(at, float) / cell_mm
        low = np.floor(place)
        total = 0.0
        for corner in product((0, 1), repeat=3):
            weight = np.prod(np.where(corner, place - low, 1 - (place - low)))
            total += weight * tile[tuple((low + corner).astype(int) % tile.shape)]
        out.append(total)
    return np.array(out)


def add_waves(points, start, waves, height):
    return start + height * np.sin(2 * np.pi * (points.astype(float) @ waves[:, :3].T + waves[:, 3])).sum(axis=1)


def cone_distance(points, chain):
    """`chain` holds nodes: x, y, z, radius."""
    nodes = np.asarray(chain, float)
    out = []
    for p in np.asarray(points, float):
        gaps = []
        for a, b in pairwise(nodes):
            axis = b[:3] - a[:3]
            t = np.clip((p - a[:3]) @ axis / (axis @ axis), 0, 1)
            gaps.append(np.linalg.norm(p - a[:3] - t * axis) - (a[3] + t * (b[3] - a[3])))
        out.append(min(gaps))
    return np.array(out)


def two_nearest(points, chains):
    each = np.sort([cone_distance(points, chain) for chain in chains], axis=0)
    return each[0], (each[1] if len(chains) > 1 else np.full(len(points), np.inf))


def polygon_distance(u, v, corners):
    """The sign is that of the winding number."""
    c = np.asarray(corners, float)
    out = []
    for p in np.stack([u, v], axis=1).astype(float):
        turn, nearest = 0.0, np.inf
        for a, b in zip(c, np.roll(c, -1, axis=0), strict=True):
            t = np.clip((p - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
            nearest = min(nearest, np.linalg.norm(p - a - t * (b - a)))
            (ax, ay), (bx, by) = a - p, b - p
            turn += np.arctan2(ax * by - ay * bx, ax * bx + ay * by)
        out.append(-nearest if abs(turn) > np.pi else nearest)
    return np.array(out)


def upsample_planes(field, up):
    rows, columns = (np.arange((n - 1) * up + 1) / up for n in field.shape[1:])
    wide = np.array([[np.interp(columns, np.arange(len(row)), row) for row in plane] for plane in field])
    return np.array([[np.interp(rows, np.arange(len(line)), line) for line in plane.T] for plane in wide]).transpose(
        0, 2, 1
    )


def cover_planes(distance, edge_mm):
    out = np.empty(distance.shape)
    for k, j, i in np.ndindex(distance.shape):
        width = abs(float(distance[-1, j, i]) - float(distance[0, j, i])) / (len(distance) - 1) + edge_mm
        out[k, j, i] = min(max(0.5 - distance[k, j, i] / width, 0.0), 1.0)
    return out


def lay(layer, share, row, column, value):
    """`value` is a number or an array of the shape of `share`."""
    out = layer.astype(float)
    values = np.broadcast_to(value, share.shape)
    for k, j, i in np.ndindex(share.shape):
        under = out[k, row + j, column + i]
        out[k, row + j, column + i] = (1 - share[k, j, i]) * under + share[k, j, i] * values[k, j, i]
    return out
