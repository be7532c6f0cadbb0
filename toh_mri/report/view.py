"""How a slice of a grid is turned for the screen: the way radiologists hang it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toh_mri.core.study import SlicePlane
from toh_mri.geometry import Grid

_LETTERS = (("L", "R"), ("P", "A"), ("S", "I"))  # positive and negative end of LPS x, y, z
_WORDS = {"L": "left", "R": "right", "P": "posterior", "A": "anterior", "S": "superior", "I": "inferior"}
_OBLIQUE_COSINE = 0.35  # a second letter from 20 degrees on

# Radiological hanging: LPS directions that point to the right and to the bottom of the screen.
_HANGING: dict[SlicePlane, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    SlicePlane.SAGITTAL: ((0, 1, 0), (0, 0, -1)),
    SlicePlane.CORONAL: ((1, 0, 0), (0, 0, -1)),
    SlicePlane.AXIAL: ((1, 0, 0), (0, 1, 0)),
}


def direction_letters(direction: ArrayLike) -> str:
    """Name where an LPS direction points: one letter, or two where it is oblique by 20 degrees or more."""
    vector = np.asarray(direction, dtype=np.float64)
    order = [int(axis) for axis in np.argsort(-np.abs(vector), kind="stable")[:2]]
    letters = [_LETTERS[axis][0 if vector[axis] > 0 else 1] for axis in order]
    return "".join(letters) if abs(vector[order[1]]) >= _OBLIQUE_COSINE else letters[0]


def direction_word(direction: ArrayLike) -> str:
    """Name where an LPS direction points in one word: ``anterior``, ``left``, ..."""
    return _WORDS[direction_letters(direction)[0]]


@dataclass(frozen=True)
class View:
    """Turns arrays of slices [row, column] into pictures [down, across].

    Attributes
    ----------
    plane : SlicePlane
        Nearest anatomical plane.
    transpose : bool
        Whether the row index runs across the screen.
    flip_down, flip_across : bool
        Applied after the transposition.
    pixel_mm : tuple of 2 float
        Pixel height and width on the screen's axes.
    letters : tuple of 4 str
        Patient directions at the left, right, top and bottom edge.
    """

    plane: SlicePlane
    transpose: bool
    flip_down: bool
    flip_across: bool
    pixel_mm: tuple[float, float]
    letters: tuple[str, str, str, str]

    @classmethod
    def of(cls, grid: Grid) -> View:
        """Return the view of a grid's slices that comes nearest to radiological hanging."""
        normal, row, column = grid.directions.T
        plane = (SlicePlane.SAGITTAL, SlicePlane.CORONAL, SlicePlane.AXIAL)[int(np.argmax(np.abs(normal)))]
        right, bottom = (np.array(direction) for direction in _HANGING[plane])
        transpose = bool(abs(row @ right) > abs(column @ right))
        down, across = (column, row) if transpose else (row, column)
        flip_down, flip_across = bool(down @ bottom < 0), bool(across @ right < 0)
        down, across = (-down if flip_down else down), (-across if flip_across else across)
        height, width = grid.spacing_mm[1:][:: -1 if transpose else 1]
        letters = (-across, across, -down, down)
        return cls(
            plane,
            transpose,
            flip_down,
            flip_across,
            (height, width),
            (
                direction_letters(letters[0]),
                direction_letters(letters[1]),
                direction_letters(letters[2]),
                direction_letters(letters[3]),
            ),
        )

    def arrange(self, plane: NDArray[Any]) -> NDArray[Any]:
        """Turn samples of one slice, shape (rows, columns, ...), for the screen; returns a view."""
        turned = plane.swapaxes(0, 1) if self.transpose else plane
        return turned[:: -1 if self.flip_down else 1, :: -1 if self.flip_across else 1]

    def place(self, row_column: ArrayLike, shape: tuple[int, int]) -> NDArray[np.float64]:
        """Map (row, column) indices of a slice of `shape` to pixels (down, across) of the picture."""
        index = np.array(row_column, dtype=np.float64)
        size = np.array(shape, dtype=np.float64)
        if self.transpose:
            index, size = index[..., ::-1], size[::-1]
        flips = np.array([self.flip_down, self.flip_across])
        return np.asarray(np.where(flips, size - 1 - index, index))
