"""Exported pictures (PNG, JPEG) of single slices: many retrospective hip collections are nothing else.

A picture does not say where in the patient it lies. Its middle is taken as the world's origin, or as the place of
the hip it is said to show; its slice is taken as 1 mm thick. Results are areas and lengths, never volumes.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from toh_mri.core.config.io import IoConfig
from toh_mri.core.errors import InputError
from toh_mri.core.study import Acquisition, SlicePlane
from toh_mri.geometry import Grid, Image, Side
from toh_mri.io.files.names import picture_stem
from toh_mri.io.pictures.description import PictureDescription, describe_picture
from toh_mri.io.pictures.pixels import picture_size, read_grey
from toh_mri.io.series import Candidate, Loaded

_THICKNESS_MM = 1.0
_HEAD_FROM_MIDLINE_MM = 90.0  # half the usual distance between an adult's femoral heads
_BOTH_HIPS_MM = 230.0  # a picture narrower than that distance and one head shows one hip


def picture_candidate(path: Path, config: IoConfig) -> Candidate:
    """Describe a picture as a series of one slice, from its header and what is said about it.

    Raises
    ------
    InputError
        ``picture_not_described``, ``picture_description_invalid``, ``sidecar_unreadable``,
        ``picture_unreadable``, ``several_pictures``, ``too_large``.
    """
    rows, columns = picture_size(path)
    description = describe_picture(path, config)
    grid = picture_grid(description, rows, columns)
    return Candidate(
        acquisition=Acquisition(laterality=None if description.hip is None else description.hip.value[0].upper()),
        description=picture_stem(path) or path.name,
        words="",
        paths=(path,),
        order=(path.name,),
        normal=grid.directions[:, 0],
        grid=grid,
        contrast=description.weighting,
        load=partial(_load, path, grid),
        notes=_notes(description, grid),
    )


def picture_grid(description: PictureDescription, rows: int, columns: int) -> Grid:
    """Return the grid of a picture of so many rows and columns, shown as it is described."""
    to_right = 1.0 if description.toward is Side.LEFT else -1.0
    column = np.array([0.0, to_right, 0.0] if description.plane is SlicePlane.SAGITTAL else [to_right, 0.0, 0.0])
    row = np.array([0.0, 1.0, 0.0] if description.plane is SlicePlane.AXIAL else [0.0, 0.0, -1.0])
    affine = np.eye(4)
    affine[:3, 0] = _THICKNESS_MM * np.cross(column, row)
    affine[:3, 1] = description.spacing_mm[0] * row
    affine[:3, 2] = description.spacing_mm[1] * column
    middle = np.zeros(3)
    if description.hip is not None:
        middle[0] = description.hip.lateral_x * _HEAD_FROM_MIDLINE_MM
    affine[:3, 3] = middle - affine[:3, :3] @ [0.0, (rows - 1) / 2.0, (columns - 1) / 2.0]
    return Grid((1, rows, columns), affine)


def _notes(description: PictureDescription, grid: Grid) -> tuple[str, ...]:
    notes = [
        "It is an exported picture: its grey values are as the export windowed them.",
        f"Where it lies in the patient is not known, nor how thick the slice is; {_THICKNESS_MM:g} mm is assumed.",
        "Text may be burned into it: pictures of it may identify the patient.",
    ]
    if description.hip is not None:
        notes.append(
            f"It was placed {_HEAD_FROM_MIDLINE_MM:g} mm from the midline, because it is said to show the "
            f"{description.hip} hip."
        )
    elif grid.extent_mm[2] < _BOTH_HIPS_MM:
        notes.append(
            "It is too narrow for both hips, and the side of one is told from the direction of its neck and from its "
            "place in the picture: give 'side' in its JSON file."
        )
    return tuple(notes)


def _load(path: Path, grid: Grid) -> Loaded:
    grey, notes = read_grey(path)
    if grey.shape != grid.shape[1:]:
        raise InputError("picture_unreadable", f"{path.name}: its pixels are not as its header says.")
    return Loaded(Image(grey[np.newaxis], grid), notes)
