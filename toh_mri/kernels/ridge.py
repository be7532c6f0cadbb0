"""In-plane line response: multi-scale ridges of thick slices, dark or bright, with their direction."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from toh_mri.kernels._jit import kernel

_REACH_SIGMAS = 4.0  # beyond it a Gaussian's tail is under 1e-3 of its peak
_FLOOR_VOXELS = 0.7  # narrower Gaussians are not resolved by samples one voxel apart


def derivative_taps(sigma_mm: float, spacing_mm: float) -> NDArray[np.float64]:
    """Return Gaussian smoothing, first- and second-derivative kernels with exact low moments.

    Sampled Gaussian derivatives of narrow Gaussians have wrong moments: they see curvature in a constant or a
    ramp. Here the samples are corrected so that, on their own lattice, the smoothing kernel keeps constants,
    the first derivative of x is 1 and that of a constant 0, the second derivative of x**2 is 2 and that of a
    constant 0: exactly. A Gaussian narrower than 0.7 voxels is widened to that.

    Parameters
    ----------
    sigma_mm, spacing_mm : float
        Standard deviation of the Gaussian; distance between samples.

    Returns
    -------
    ndarray of float64, shape (3, 2 * n + 1)
        Taps of order 0, 1, 2, in units of 1, 1/mm and 1/mm**2, for correlation (not flipped).
    """
    sigma = max(sigma_mm, _FLOOR_VOXELS * spacing_mm)
    n = max(1, math.ceil(_REACH_SIGMAS * sigma / spacing_mm))
    x = np.arange(-n, n + 1) * spacing_mm
    smooth = np.exp(-0.5 * (x / sigma) ** 2)
    smooth /= smooth.sum()
    first = x * smooth
    first /= (first * x).sum()
    second = (x**2 - (smooth * x**2).sum()) * smooth
    second *= 2.0 / (second * x**2).sum()
    return np.stack([smooth, first, second])


@kernel
def _along_rows(image: NDArray[np.float32], taps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlate each row of a slice with three kernels at once, edges repeated; shape (3, rows, columns)."""
    rows, columns = image.shape
    n = taps.shape[1] // 2
    out = np.zeros((3, rows, columns))
    for j in range(rows):
        for i in range(columns):
            a, b, c = 0.0, 0.0, 0.0
            for t in range(-n, n + 1):
                value = image[j, min(max(i + t, 0), columns - 1)]
                a += taps[0, t + n] * value
                b += taps[1, t + n] * value
                c += taps[2, t + n] * value
            out[0, j, i], out[1, j, i], out[2, j, i] = a, b, c
    return out


@kernel
def ridge_slice(
    image: NDArray[np.float32],
    mask: NDArray[np.bool_],
    row_taps: NDArray[np.float64],
    column_taps: NDArray[np.float64],
    scale_mm2: float,
    sign: float,
    response: NDArray[np.float32],
    angle: NDArray[np.float32],
) -> None:
    """Raise the line response of one slice at one scale, where it is stronger than at the scales before.

    The response is ``scale * (l1 - |l2|)``, 0 where negative, with l1 the larger and l2 the smaller
    eigenvalue of the Hessian of ``sign * image`` (closed form): positive on a line, 0 on an even slope, a
    round blob or a saddle.

    Parameters
    ----------
    image : ndarray of float32, shape (rows, columns)
        Signal, arbitrary units.
    mask : ndarray of bool, same shape
        Where the response is wanted.
    row_taps, column_taps : ndarray of float64, shape (3, n)
        From `derivative_taps`, along the row index and along the column index.
    scale_mm2 : float
        sigma**2 in mm**2 (Lindeberg 1998, 10.1023/A:1008097225773: normalised derivatives).
    sign : float
        +1 for dark lines, -1 for bright ones.
    response, angle : ndarray of float32, same shape
        Changed in place. `angle`: direction across the line, radians from the column axis towards the row
        axis.
    """
    rows, columns = image.shape
    across = _along_rows(image, column_taps)
    n = row_taps.shape[1] // 2
    for j in range(rows):
        for i in range(columns):
            if not mask[j, i]:
                continue
            d_rr, d_cc, d_rc = 0.0, 0.0, 0.0
            for t in range(-n, n + 1):
                y = min(max(j + t, 0), rows - 1)
                d_cc += row_taps[0, t + n] * across[2, y, i]
                d_rc += row_taps[1, t + n] * across[1, y, i]
                d_rr += row_taps[2, t + n] * across[0, y, i]
            mean = 0.5 * sign * (d_rr + d_cc)
            half = 0.5 * sign * (d_cc - d_rr)
            mixed = sign * d_rc
            root = math.sqrt(half * half + mixed * mixed)
            strength = scale_mm2 * (mean + root - abs(mean - root))
            if strength > response[j, i]:
                response[j, i] = strength
                angle[j, i] = 0.5 * math.atan2(mixed, half)


@kernel
def _at(image: NDArray[np.float32], row: float, column: float) -> float:
    """Interpolate bilinearly inside a slice; 0 outside it."""
    rows, columns = image.shape
    j, i = math.floor(row), math.floor(column)
    if j < 0 or i < 0 or j >= rows - 1 or i >= columns - 1:
        return 0.0
    y, x = row - j, column - i
    top = image[j, i] * (1.0 - x) + image[j, i + 1] * x
    low = image[j + 1, i] * (1.0 - x) + image[j + 1, i + 1] * x
    return float(top * (1.0 - y) + low * y)


@kernel
def thin_ridges(
    response: NDArray[np.float32], angle: NDArray[np.float32], spacing_mm: tuple[float, float]
) -> NDArray[np.float32]:
    """Keep the response where it is greatest across the line (Canny 1986, 10.1109/TPAMI.1986.4767851).

    Parameters
    ----------
    response, angle : ndarray of float32, shape (rows, columns)
        From `ridge_slice`.
    spacing_mm : tuple of 2 float
        Row and column spacing.

    Returns
    -------
    ndarray of float32, shape (rows, columns)
        `response` on the crests, 0 elsewhere.
    """
    rows, columns = response.shape
    out = np.zeros((rows, columns), np.float32)
    step = min(spacing_mm[0], spacing_mm[1])
    for j in range(rows):
        for i in range(columns):
            here = response[j, i]
            if here <= 0.0:
                continue
            y = math.sin(angle[j, i]) * step / spacing_mm[0]
            x = math.cos(angle[j, i]) * step / spacing_mm[1]
            if here >= _at(response, j + y, i + x) and here > _at(response, j - y, i - x):
                out[j, i] = here
    return out


def line_response(
    image: NDArray[np.float32],
    mask: NDArray[np.bool_],
    spacing_mm: tuple[float, float],
    sigmas_mm: tuple[float, ...],
    *,
    dark: bool,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute the multi-scale in-plane line response of one slice.

    Parameters
    ----------
    image : ndarray of float32, shape (rows, columns)
        Signal, arbitrary units.
    mask : ndarray of bool, same shape
        Where the response is wanted.
    spacing_mm : tuple of 2 float
        Row and column spacing.
    sigmas_mm : tuple of float
        Scales.
    dark : bool
        Dark lines on bright ground, or the reverse.

    Returns
    -------
    response : ndarray of float32, shape (rows, columns)
        Largest over the scales, in units of the signal; 0 outside the mask.
    angle : ndarray of float32, same shape
        Direction across the line, radians from the column axis towards the row axis, in mm space.
    """
    response = np.zeros(image.shape, np.float32)
    angle = np.zeros(image.shape, np.float32)
    pixels = np.ascontiguousarray(image, dtype=np.float32)
    inside = np.ascontiguousarray(mask)
    for sigma in sigmas_mm:
        rows, columns = (derivative_taps(sigma, spacing) for spacing in spacing_mm)
        ridge_slice(pixels, inside, rows, columns, sigma**2, 1.0 if dark else -1.0, response, angle)
    return response, angle
