"""From line response to centre-lines: hysteresis, thinning, and the longest path through each crest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from skimage.morphology import skeletonize

from toh_mri.kernels.ridge import line_response, thin_ridges

_EIGHT = np.ones((3, 3), dtype=bool)
_STEPS = ((0, 1), (1, -1), (1, 0), (1, 1))
_SMOOTHING_MM = 1.0


def trace_slice(
    pixels: NDArray[np.float32],
    mask: NDArray[np.bool_],
    level: NDArray[np.float32],
    spacing_mm: tuple[float, float],
    sigmas_mm: tuple[float, ...],
    thresholds: tuple[float, float],
    *,
    dark: bool,
    minimum_length_mm: float,
) -> list[NDArray[np.float64]]:
    """Trace the lines of one slice.

    Parameters
    ----------
    pixels, level : ndarray of float32, shape (rows, columns)
        Signal, and the signal of the ground a line is compared with.
    mask : ndarray of bool, same shape
        Where lines are looked for.
    spacing_mm : tuple of 2 float
        Row and column spacing.
    sigmas_mm : tuple of float
        Scales of the line response.
    thresholds : tuple of 2 float
        Hysteresis on response over level: a line holds at the first and must reach the second. Both are
        raised where noise alone would reach them.
    dark : bool
        Dark lines, or bright ones.
    minimum_length_mm : float
        Shorter lines are dropped.

    Returns
    -------
    list of ndarray of float64, shape (n, 2)
        Row and column of the points of each centre-line, sub-pixel, in order along it.
    """
    response, angle = line_response(pixels, mask, spacing_mm, sigmas_mm, dark=dark)
    response = np.where(mask, response / np.maximum(level, 1e-6), 0.0).astype(np.float32)
    low, high = _above_noise(response[mask], thresholds)
    crest = thin_ridges(response, angle, spacing_mm)
    held = ndimage.binary_dilation(crest > low, structure=_EIGHT) & (response > low)
    components, count = ndimage.label(held, structure=_EIGHT)
    strong = np.unique(components[crest > high])
    keep = np.zeros(count + 1, dtype=bool)
    keep[strong[strong > 0]] = True
    skeleton = skeletonize(keep[components])
    components, count = ndimage.label(skeleton, structure=_EIGHT)
    lines = []
    for number, box in enumerate(ndimage.find_objects(components), start=1):
        pixel = np.argwhere(components[box] == number) + np.array([box[0].start, box[1].start])
        path, length_mm = _longest_path(pixel, spacing_mm)
        if length_mm >= minimum_length_mm:
            lines.append(_smoothed(pixel[path].astype(np.float64), spacing_mm))
    return lines


def _above_noise(responses: NDArray[np.float32], thresholds: tuple[float, float]) -> tuple[float, float]:
    """Raise hysteresis thresholds to twice and four times what noise gives: its upper quartile times 1.5.

    Lines cover a few per cent of a bone's section, so that the quartile of the response is noise.
    """
    noise = 1.5 * float(np.percentile(responses, 75)) if len(responses) else 0.0
    return max(thresholds[0], noise), max(thresholds[1], 2 * noise)


def _longest_path(pixel: NDArray[np.int_], spacing_mm: tuple[float, float]) -> tuple[NDArray[np.int_], float]:
    """Find the longest of the shortest paths through 8-connected pixels: its pixels in order, its length."""
    if len(pixel) < 2:
        return np.arange(len(pixel)), 0.0
    graph = _pixel_graph(pixel, spacing_mm)
    start = int(np.argmax(dijkstra(graph, directed=False, indices=[0])[0]))
    (distance,), (before,) = dijkstra(graph, directed=False, indices=[start], return_predecessors=True)
    end = int(np.argmax(distance))
    path = [end]
    while path[-1] != start:
        path.append(int(before[path[-1]]))
    return np.array(path[::-1]), float(distance[end])


def _pixel_graph(pixel: NDArray[np.int_], spacing_mm: tuple[float, float]) -> csr_matrix:
    """Graph of 8-connected pixels with edges in mm."""
    number = {(int(row), int(column)): n for n, (row, column) in enumerate(pixel)}
    edges = [
        (n, number[row + dr, column + dc], float(np.hypot(dr * spacing_mm[0], dc * spacing_mm[1])))
        for (row, column), n in number.items()
        for dr, dc in _STEPS
        if (row + dr, column + dc) in number
    ]
    a, b, length = (np.array(values) for values in zip(*edges, strict=True))
    shape = (len(pixel), len(pixel))
    return csr_matrix((length, (a, b)), shape=shape)


def _smoothed(path: NDArray[np.float64], spacing_mm: tuple[float, float]) -> NDArray[np.float64]:
    """Take the staircase out of a path of pixels."""
    return np.asarray(ndimage.gaussian_filter1d(path, _SMOOTHING_MM / min(spacing_mm), axis=0, mode="nearest"))


def length_mm(points: NDArray[np.float64]) -> float:
    """Length of a line through points in mm, shape (n, 2 or 3)."""
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
