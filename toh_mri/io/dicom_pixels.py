"""Pixels of a stack of DICOM frames, as float32 signal in slice order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels import iter_pixels

from toh_mri.core.errors import InputError
from toh_mri.geometry import Grid, Image
from toh_mri.io.dicom_header import Frame
from toh_mri.io.foreign import foreign_errors
from toh_mri.io.series import Loaded

_MOST_VOXELS = 2**29  # 2 GiB of float32: more is no MR series but a broken header


def read_stack(frames: Sequence[Frame], grid: Grid) -> Loaded:
    """Read the pixels of ordered frames; stored values are turned into signal by each frame's own rescale.

    Raises
    ------
    InputError
        ``pixels_unreadable`` if a frame cannot be decoded or is not as its header says; ``too_large``.
    """
    if np.prod(grid.shape, dtype=np.float64) > _MOST_VOXELS:
        raise InputError("too_large", f"Its headers claim {' x '.join(map(str, grid.shape))} voxels.")
    volume = np.empty(grid.shape, dtype=np.float32)
    files: dict[Path, list[tuple[int, Frame]]] = defaultdict(list)
    for index, frame in enumerate(frames):
        files[frame.path].append((index, frame))
    for path, wanted in files.items():
        where = f"Slice {wanted[0][0] + 1} of {len(frames)}: its pixels cannot be read"
        with foreign_errors("pixels_unreadable", where, "The file is incomplete or damaged; export the series again."):
            _read_file(path, wanted, volume)
    return Loaded(Image(volume, grid), (), _rescale(frames))


def _read_file(path: Path, wanted: Sequence[tuple[int, Frame]], volume: NDArray[np.float32]) -> None:
    """Decode the wanted frames of one file into their slices of `volume`."""
    dataset = pydicom.dcmread(path)
    if int(dataset.get("NumberOfFrames") or 1) == 1:
        decoded = iter([dataset.pixel_array])
    else:
        decoded = iter_pixels(dataset, indices=[frame.number for _, frame in wanted])
    for (index, frame), stored in zip(wanted, decoded, strict=True):
        if stored.shape != volume.shape[1:]:
            raise InputError(
                "pixels_unreadable",
                f"Slice {index + 1} of {len(volume)} decodes to {' x '.join(map(str, stored.shape))} pixels, "
                f"not {volume.shape[1]} x {volume.shape[2]}.",
            )
        np.multiply(stored, np.float32(frame.slope), out=volume[index], casting="unsafe")
        volume[index] += np.float32(frame.intercept)
        if not np.isfinite(volume[index]).all():
            raise InputError(
                "pixels_unreadable", f"Slice {index + 1} of {len(volume)} holds values that are not finite."
            )


def _rescale(frames: Sequence[Frame]) -> str | None:
    slopes = {(frame.slope, frame.intercept) for frame in frames}
    if slopes == {(1.0, 0.0)}:
        return None
    if len(slopes) == 1:
        slope, intercept = next(iter(slopes))
        return f"slope {slope:.6g}, intercept {intercept:.6g}"
    low, high = min(slopes)[0], max(slopes)[0]
    return f"slice by slice, with slopes from {low:.6g} to {high:.6g}"
