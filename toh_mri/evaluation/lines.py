"""Lines, present or not, and mm by mm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import KDTree
from skimage.morphology import skeletonize

from toh_mri.evaluation.overlap import Mask, Spacing, distance_to

NEAR_MM = 3.0
"""Lines nearer than this run together: less than the distance of two slices, more than a line is thick."""

SHORT_MM = 10.0
"""Shorter lines of the truth are not scored."""


@dataclass(frozen=True)
class Centreline:
    """The middle of a line's mask, traced slice by slice.

    Attributes
    ----------
    index : ndarray of int, shape (n, 3)
        Voxels (slice, row, column).
    weight_mm : ndarray of float64, shape (n,)
        Length that each voxel stands for.
    """

    index: NDArray[np.intp]
    weight_mm: NDArray[np.float64]

    @property
    def longest_mm(self) -> float:
        """Length in the slice that shows most of the line, mm: as the program states the length of a line."""
        if not len(self.index):
            return 0.0
        return float(np.bincount(self.index[:, 0], weights=self.weight_mm).max())

    def share_within(self, distance_mm: NDArray[np.float64]) -> float:
        """Return the share of the length at which an array of distances, shape of the mask, is at most `NEAR_MM`."""
        near = distance_mm[tuple(self.index.T)] <= NEAR_MM
        return float(self.weight_mm[near].sum() / self.weight_mm.sum())


def centreline(mask: Mask, spacing_mm: Spacing) -> Centreline:
    """Thin a mask, shape (slices, rows, columns), in each slice to lines one pixel wide (Zhang and Suen 1984).

    Lengths are those of the shortest tree that joins the neighbouring pixels, half of each step to either end; a
    single pixel stands for its own width.
    """
    thin = np.zeros_like(mask)
    for k in np.flatnonzero(mask.any(axis=(1, 2))):
        thin[k] = skeletonize(mask[k])
    index = np.argwhere(thin)
    if not len(index):
        return Centreline(index, np.zeros(0))
    # Slices are kept apart by more than any step; neighbours are at most one pixel away along row and column.
    pairs = KDTree(index * (9, 1, 1)).query_pairs(1.5, output_type="ndarray")
    steps = np.linalg.norm((index[pairs[:, 0]] - index[pairs[:, 1]]) * spacing_mm, axis=1)
    tree = minimum_spanning_tree(coo_array((steps, pairs.T), shape=(len(index), len(index)))).tocoo()
    weight = np.bincount(np.concatenate([tree.row, tree.col]), np.tile(tree.data / 2, 2), len(index))
    return Centreline(index, np.where(weight > 0, weight, np.mean(spacing_mm[1:])))


def shares(found: Mask, truth: Mask, spacing_mm: Spacing) -> tuple[float | None, float | None]:
    """Return how much of the truth's centreline is near the found line, and of the found line's near the truth.

    Parameters
    ----------
    found, truth : ndarray of bool, shape (slices, rows, columns)

    Returns
    -------
    tuple of float or None
        0..1, of lengths in mm; the share of a line that is not there is None, that of one whose partner is not
        there 0.
    """
    return _share(truth, found, spacing_mm), _share(found, truth, spacing_mm)


def _share(line: Mask, other: Mask, spacing_mm: Spacing) -> float | None:
    if not line.any():
        return None
    if not other.any():
        return 0.0
    return centreline(line, spacing_mm).share_within(distance_to(other, spacing_mm))
