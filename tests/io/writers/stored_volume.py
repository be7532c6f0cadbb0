"""A volume as a scanner stores it, made for tests: what it holds and where it lies is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CORONAL = np.array([[0.0, 0.0, 1.0], [4.4, 0.0, 0.0], [0.0, -1.0, 0.0]])


@dataclass(frozen=True, eq=False)
class StoredVolume:
    """Stored integers and where their voxels lie.

    Attributes
    ----------
    stored : ndarray of int, shape (slices, rows, columns)
    affine : ndarray of float64, shape (4, 4)
        Maps (slice, row, column, 1) to LPS mm. Its columns are at right angles; either handedness.
    """

    stored: NDArray[np.integer]
    affine: NDArray[np.float64]

    @property
    def spacing_mm(self) -> NDArray[np.float64]:
        """Distance between slices, rows and columns."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)

    @property
    def cosines(self) -> NDArray[np.float64]:
        """ImageOrientationPatient: where the column index grows, then where the row index grows."""
        directions = self.affine[:3, :3] / self.spacing_mm
        return np.concatenate([directions[:, 2], directions[:, 1]])

    @property
    def positions(self) -> NDArray[np.float64]:
        """ImagePositionPatient of every slice, shape (slices, 3)."""
        return self.affine[:3, 3] + np.outer(np.arange(len(self.stored)), self.affine[:3, 0])

    def to_world(self, index: NDArray[np.integer]) -> NDArray[np.float64]:
        """Map (slice, row, column), shape (..., 3), to LPS mm."""
        return index @ self.affine[:3, :3].T + self.affine[:3, 3]


def coronal_affine(spacing_mm: tuple[float, float, float] = (4.4, 1.0, 0.8)) -> NDArray[np.float64]:
    """Return the affine of a coronal stack, from front to back, the patient's right on the left of each slice."""
    affine = np.eye(4)
    affine[:3, :3] = CORONAL / np.linalg.norm(CORONAL, axis=0) * spacing_mm
    affine[:3, 3] = (-9.5, -20.25, 30.125)
    return affine


def index_coded(shape: tuple[int, int, int]) -> NDArray[np.int32]:
    """Return a volume in which every voxel holds its own number."""
    return np.arange(np.prod(shape), dtype=np.int32).reshape(shape)


def smooth(shape: tuple[int, int, int], bits: int = 12, *, signed: bool = False) -> NDArray[np.int32]:
    """Return a volume that uses most of `bits`, differs in every slice and changes little from pixel to pixel.

    Lossy syntaxes keep such a picture nearly unchanged; lossless ones are tested with `noise`.
    """
    slices, rows, columns = np.indices(shape)
    share = (rows / shape[1] + columns / shape[2] + 2 * slices / shape[0]) / 4
    low = -(2 ** (bits - 1)) if signed else 0
    return np.rint(low + share * (2**bits - 1)).astype(np.int32)


def noise(shape: tuple[int, int, int], bits: int = 12, *, signed: bool = False, seed: int = 0) -> NDArray[np.int64]:
    """Return a volume of random values of `bits` bits, the smallest and the largest one among them."""
    low = -(2 ** (bits - 1)) if signed else 0
    values = np.random.default_rng(seed).integers(low, low + 2**bits, shape, dtype=np.int64)
    values[0, 0, :2] = low, low + 2**bits - 1
    return values
