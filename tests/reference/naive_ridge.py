"""The in-plane line response again: whole-image correlations and a general eigenvalue solver."""

import numpy as np
from scipy import ndimage


def line_response(image, taps_by_sigma, sigmas_mm, *, dark):
    """`taps_by_sigma`: for each sigma, taps along the rows index and along the columns index."""
    best = np.zeros(image.shape)
    for sigma, (rows, columns) in zip(sigmas_mm, taps_by_sigma, strict=True):

        def derivative(row_order, column_order, rows=rows, columns=columns):
            half = ndimage.correlate1d(image.astype(float), columns[column_order], axis=1, mode="nearest")
            return ndimage.correlate1d(half, rows[row_order], axis=0, mode="nearest")

        mixed = derivative(1, 1)
        hessian = np.stack([np.stack([derivative(2, 0), mixed], -1), np.stack([mixed, derivative(0, 2)], -1)], -1)
        small, large = np.moveaxis(np.linalg.eigvalsh(hessian if dark else -hessian), -1, 0)
        best = np.maximum(best, sigma**2 * (large - np.abs(small)))
    return best
