"""Interpolation again: every sample of the volume weighed for every point, in float64."""

from itertools import product

import numpy as np


def weights(at, half_width, count):
    """Weights of all `count` samples round an index: a tent of the given half-width, its sum 1."""
    tent = np.maximum(0.0, half_width - np.abs(np.arange(count) - at))
    return tent / tent.sum()


def value(volume, index, half_widths, margin):
    """The weighed mean at one index, NaN further than `margin` voxels beyond the outermost centres."""
    last = np.array(volume.shape) - 1
    if ((index < -margin) | (index > last + margin)).any() or np.isnan(index).any():
        return np.nan
    at = np.clip(index, 0, last)
    k, j, i = (weights(a, h, n) for a, h, n in zip(at, half_widths, volume.shape, strict=True))
    weight = k[:, None, None] * j[:, None] * i
    return np.sum(weight[weight > 0] * volume[weight > 0].astype(float))


def resample(volume, matrix, shape, half_widths, margin):
    result = np.empty(shape)
    for index in product(*(range(n) for n in shape)):
        result[index] = value(volume, matrix[:3] @ [*index, 1.0], half_widths, margin)
    return result


def sample_rays(volume, to_index, origins, directions, start_mm, step_mm, n_samples):
    result = np.empty((len(origins), n_samples))
    for n, q in product(range(len(origins)), range(n_samples)):
        point = origins[n] + (start_mm[n] + q * step_mm) * directions[n]
        result[n, q] = value(volume, to_index[:3] @ [*point, 1.0], (1, 1, 1), 0.5)
    return result
