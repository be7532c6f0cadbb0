"""Masks and lines as SVG paths, in millimetres of the picture."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from skimage.measure import find_contours


def mask_path(mask: NDArray[np.bool_], pixel_mm: tuple[float, float]) -> str:
    """Trace a mask, shape (down, across), as closed SVG subpaths; empty where the mask is empty.

    Holes are subpaths of their own: fill with the even-odd rule.
    """
    if not mask.any():
        return ""
    contours = find_contours(np.pad(mask, 1).astype(np.float64), 0.5)
    # One pixel of padding, and pixel centres half a pixel inside the picture's edge.
    return "".join(_path((contour - 0.5) * pixel_mm, closed=True) for contour in contours)


def polyline_path(points: NDArray[np.float64], near: NDArray[np.bool_]) -> str:
    """Draw the runs of a polyline that lie in a slice.

    Parameters
    ----------
    points : ndarray of float64, shape (n, 2)
        Millimetres (down, across) in the picture.
    near : ndarray of bool, shape (n,)
        Which points lie in the slice. A run of one point is drawn as a dot (with round line caps).
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], near, [False]]).astype(np.int8)))
    return "".join(_path(points[start:stop], closed=False) for start, stop in edges.reshape(-1, 2))


def _path(points: NDArray[np.float64], *, closed: bool) -> str:
    if len(points) == 1:
        points = np.repeat(points, 2, axis=0)
    steps = "L".join(_pairs(points[:-1] if closed else points))
    return f"M{steps}{'Z' if closed else ''}"


def _pairs(points: Iterable[Iterable[float]]) -> list[str]:
    return [f"{across:.2f} {down:.2f}" for down, across in points]
