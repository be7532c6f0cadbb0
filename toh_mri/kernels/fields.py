"""Smooth fields at many points: noise, waves, tubes, outlines.

Every kernel does in one pass over memory what NumPy would do in many. Arithmetic is single precision and its order
is fixed; only `+ - * /`, square root and floor are used, which every processor rounds alike.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from toh_mri.kernels._jit import kernel

_RUN = 512  # points of one turn: they stay in the fastest cache
_NOTHING, _HALF, _ALL = np.float32(0), np.float32(0.5), np.float32(1)
_SINE = tuple(np.float32((-1) ** (n // 2) * math.tau**n / math.factorial(n)) for n in range(1, 12, 2))
"""Taylor's coefficients of the sine of turns: within a quarter turn the error is below 6e-8."""


@kernel
def _cell(at: np.float32, size: int) -> tuple[int, int, np.float32]:
    """Return the two neighbours of a place on a ring of `size` samples, and how far it is from first to second."""
    floor = np.floor(at)
    ring = np.float32(size)
    first = floor - ring * np.floor(floor / ring)
    low = int(first) if _NOTHING <= first < ring else 0  # not a number: stay in the tile; the rest keeps it NaN
    return low, (low + 1 if low + 1 < size else 0), at - floor


@kernel
def sample_tile(
    tile: NDArray[np.float32],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    z: NDArray[np.float32],
    cell_mm: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Interpolate linearly in a tile that repeats without end.

    Parameters
    ----------
    tile : ndarray of float32, shape (a, b, c)
        Its first sample lies at the origin.
    x, y, z : ndarray of float32, shape (n,)
        Points in mm, along the axes of the tile in their order.
    cell_mm : ndarray of float32, shape (3,)
        Distance of the tile's samples along x, y and z.

    Returns
    -------
    ndarray of float32, shape (n,)
    """
    a, b, c = tile.shape
    out = np.empty(x.size, dtype=np.float32)
    for n in range(x.size):
        i0, i1, u = _cell(x[n] / cell_mm[0], a)
        j0, j1, v = _cell(y[n] / cell_mm[1], b)
        k0, k1, w = _cell(z[n] / cell_mm[2], c)
        p00 = tile[i0, j0, k0] + w * (tile[i0, j0, k1] - tile[i0, j0, k0])
        p01 = tile[i0, j1, k0] + w * (tile[i0, j1, k1] - tile[i0, j1, k0])
        p10 = tile[i1, j0, k0] + w * (tile[i1, j0, k1] - tile[i1, j0, k0])
        p11 = tile[i1, j1, k0] + w * (tile[i1, j1, k1] - tile[i1, j1, k0])
        p0 = p00 + v * (p01 - p00)
        p1 = p10 + v * (p11 - p10)
        out[n] = p0 + u * (p1 - p0)
    return out


@kernel
def _add_wave(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    z: NDArray[np.float32],
    wave: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Add a plane wave of height 1."""
    a, b, c, start = wave[0], wave[1], wave[2], wave[3]
    c1, c3, c5, c7, c9, c11 = _SINE
    for n in range(out.size):
        turn = x[n] * a + y[n] * b + z[n] * c + start
        turn -= np.floor(turn + _HALF)
        quarter = min(max(turn, -_HALF - turn), _HALF - turn)  # the sine is the same
        s = quarter * quarter
        out[n] += quarter * (c1 + s * (c3 + s * (c5 + s * (c7 + s * (c9 + s * c11)))))


@kernel
def add_waves(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    z: NDArray[np.float32],
    start: NDArray[np.float32],
    waves: NDArray[np.float32],
    height: np.float32,
) -> NDArray[np.float32]:
    """Add plane waves to values at points: ``start + height * sum(sin(2 pi (wave . point + phase)))``.

    Parameters
    ----------
    x, y, z, start : ndarray of float32, shape (n,)
    waves : ndarray of float32, shape (m, 4)
        Wave vector (turns per mm) and phase (turns).
    height : float32
        Of one wave.

    Returns
    -------
    ndarray of float32, shape (n,)
    """
    out = np.zeros(x.size, dtype=np.float32)
    for begin in range(0, x.size, _RUN):
        end = min(begin + _RUN, x.size)
        own = out[begin:end]
        for wave in waves:
            _add_wave(x[begin:end], y[begin:end], z[begin:end], wave, own)
        for n in range(own.size):
            own[n] = start[begin + n] + height * own[n]
    return out


@kernel
def _approach(
    best: NDArray[np.float32],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    z: NDArray[np.float32],
    cone: NDArray[np.float32],
) -> None:
    """Lower `best` to the distance to one cone where that is nearer; points of the same length."""
    x0, y0, z0, dx, dy, dz = cone[0], cone[1], cone[2], cone[3], cone[4], cone[5]
    ex, ey, ez, radius, growth = cone[6], cone[7], cone[8], cone[9], cone[10]
    for n in range(best.size):
        qx, qy, qz = x[n] - x0, y[n] - y0, z[n] - z0
        t = qx * ex + qy * ey + qz * ez
        t = min(max(t, _NOTHING), _ALL)
        gx, gy, gz = qx - t * dx, qy - t * dy, qz - t * dz
        distance = np.sqrt(gx * gx + gy * gy + gz * gz) - (radius + t * growth)
        best[n] = min(best[n], distance)


@kernel
def cone_distance(
    x: NDArray[np.float32], y: NDArray[np.float32], z: NDArray[np.float32], cones: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the distance to the nearest of many cones with round ends.

    Parameters
    ----------
    x, y, z : ndarray of float32, shape (n,)
    cones : ndarray of float32, shape (m, 11)
        First point of the axis; vector to the last point; that vector over its squared length; first radius, and
        what the last radius is more.

    Returns
    -------
    ndarray of float32, shape (n,)
        Negative inside; infinite where there is no cone.
    """
    out = np.full(x.size, np.inf, dtype=np.float32)
    for start in range(0, x.size, _RUN):
        stop = min(start + _RUN, x.size)
        for cone in cones:
            _approach(out[start:stop], x[start:stop], y[start:stop], z[start:stop], cone)
    return out


@kernel
def two_nearest(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    z: NDArray[np.float32],
    cones: NDArray[np.float32],
    ends: NDArray[np.int64],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the distances to the nearest and the second nearest of many bodies made of cones.

    Parameters
    ----------
    x, y, z : ndarray of float32, shape (n,)
    cones : ndarray of float32, shape (m, 11)
        As for `cone_distance`.
    ends : ndarray of int64, shape (bodies,)
        Where the cones of each body end; those of the next begin there.

    Returns
    -------
    tuple of ndarray of float32, shape (n,)
    """
    first = np.full(x.size, np.inf, dtype=np.float32)
    second = np.full(x.size, np.inf, dtype=np.float32)
    own = np.empty(_RUN, dtype=np.float32)
    for start in range(0, x.size, _RUN):
        stop = min(start + _RUN, x.size)
        begin = 0
        for end in ends:
            own[:] = np.inf
            for cone in cones[begin:end]:
                _approach(own[: stop - start], x[start:stop], y[start:stop], z[start:stop], cone)
            _rank(own, first[start:stop], second[start:stop])
            begin = end
    return first, second


@kernel
def _rank(own: NDArray[np.float32], first: NDArray[np.float32], second: NDArray[np.float32]) -> None:
    """Take another body's distances into the lowest and the second lowest."""
    for n in range(first.size):
        farther = max(first[n], own[n])
        second[n] = min(second[n], farther)
        first[n] = min(first[n], own[n])


@kernel
def _cross(
    u: NDArray[np.float32],
    v: NDArray[np.float32],
    nearest: NDArray[np.float32],
    inside: NDArray[np.bool_],
    edge: NDArray[np.float32],
) -> None:
    """Take one edge of a polygon into the squared distance, and into the parity of edges to the right."""
    u0, v0, u1, v1 = edge[0], edge[1], edge[2], edge[3]
    du, dv = u1 - u0, v1 - v0
    square = du * du + dv * dv
    slope = du / dv if dv != _NOTHING else _NOTHING
    for n in range(u.size):
        qu, qv = u[n] - u0, v[n] - v0
        t = (qu * du + qv * dv) / square
        t = min(max(t, _NOTHING), _ALL)
        gu, gv = qu - t * du, qv - t * dv
        gap = gu * gu + gv * gv
        nearest[n] = min(nearest[n], gap)
        inside[n] ^= ((v0 > v[n]) != (v1 > v[n])) & (u[n] < u0 + slope * qv)


@kernel
def polygon_distance(u: NDArray[np.float32], v: NDArray[np.float32], edges: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the distance to the outline of a polygon, negative inside.

    Parameters
    ----------
    u, v : ndarray of float32, shape (n,)
    edges : ndarray of float32, shape (m, 4)
        Both ends of every edge: u, v, u, v. No edge has length 0.

    Returns
    -------
    ndarray of float32, shape (n,)
    """
    out = np.full(u.size, np.inf, dtype=np.float32)
    inside = np.zeros(u.size, dtype=np.bool_)
    for start in range(0, u.size, _RUN):
        stop = min(start + _RUN, u.size)
        for edge in edges:
            _cross(u[start:stop], v[start:stop], out[start:stop], inside[start:stop], edge)
    for n in range(u.size):
        distance = np.sqrt(out[n])
        out[n] = -distance if inside[n] else distance
    return out


@kernel
def weighted_sum(
    x: NDArray[np.float32], y: NDArray[np.float32], z: NDArray[np.float32], a: np.float32, b: np.float32, c: np.float32
) -> NDArray[np.float32]:
    """Return ``a x + b y + c z`` of float32 arrays of shape (n,) and float32 weights."""
    out = np.empty(x.size, dtype=np.float32)
    for n in range(x.size):
        out[n] = x[n] * a + y[n] * b + z[n] * c
    return out


@kernel
def length(x: NDArray[np.float32], y: NDArray[np.float32], z: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the length of vectors, float32 arrays of shape (n,)."""
    out = np.empty(x.size, dtype=np.float32)
    for n in range(x.size):
        out[n] = np.sqrt(x[n] * x[n] + y[n] * y[n] + z[n] * z[n])
    return out
