"""Grey values of PNG and JPEG files; whatever may hide or paint over signal is refused."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from toh_mri.core.errors import InputError
from toh_mri.io.files.foreign import foreign_errors
from toh_mri.io.files.memory import require_memory
from toh_mri.io.files.opening import open_binary
from toh_mri.io.volumes.nifti_header import MOST_DEFLATE_RATIO

_EXIF_ORIENTATION = 0x0112
_TURNED = frozenset({5, 6, 7, 8})  # EXIF orientations that exchange rows and columns
# JPEG turns grey into RGB with differences of a few steps of 255; marks and overlays differ by 100 and more.
_MOST_CHROMA = 24
_CLIPPED_SHARE = 0.005
_WORKING_BYTES = 16  # of a pixel while it is decoded: four channels, the picture turned, float32
_SEE_THROUGH = frozenset({"LA", "PA", "RGBA", "La", "RGBa"})


def picture_size(path: Path) -> tuple[int, int]:
    """Return rows and columns of a picture as it is shown, from its header.

    Raises
    ------
    InputError
        ``picture_unreadable``, ``several_pictures``, ``too_large``.
    """
    with _opened(path) as picture:
        columns, rows = picture.size
        turned = picture.getexif().get(_EXIF_ORIENTATION) in _TURNED
    return (columns, rows) if turned else (rows, columns)


def read_grey(path: Path) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Read the grey values of a picture as it is shown, shape (rows, columns), as stored; and notes on them.

    Raises
    ------
    InputError
        As `picture_size`, and ``picture_coloured``, ``picture_transparent``.
    """
    with _opened(path) as picture:
        size = picture.size
        require_memory(math.prod(size) * _WORKING_BYTES, f"{path.name}: reading it")
        grey = _grey(ImageOps.exif_transpose(picture), path.name)
    return grey, tuple(_clipping(grey))


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    broken = f"{path.name}: is no readable PNG or JPEG picture"
    with foreign_errors("picture_unreadable", broken), open_binary(path) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            try:
                picture = Image.open(file, formats=("PNG", "JPEG"))
            except (Image.DecompressionBombError, Image.DecompressionBombWarning):
                raise InputError(
                    "too_large", f"{path.name}: its header claims more pixels than a slice can have."
                ) from None
        if getattr(picture, "n_frames", 1) > 1:
            raise InputError("several_pictures", f"{path.name}: holds several pictures, not one slice.")
        if picture.format == "PNG" and math.prod(picture.size) > 8 * MOST_DEFLATE_RATIO * size:
            raise InputError("picture_unreadable", f"{path.name}: its header claims more pixels than it holds.")
        yield picture


def _grey(picture: Image.Image, name: str) -> NDArray[np.float32]:
    if picture.mode in _SEE_THROUGH or ("transparency" in picture.info and picture.mode in {"1", "L", "P", "RGB"}):
        picture = picture.convert("RGBA")
        if np.asarray(picture.getchannel("A")).min() < 255:
            raise InputError("picture_transparent", f"{name}: parts of it are transparent; export it without.")
    if picture.mode.startswith(("I", "F")):
        return np.asarray(picture).astype(np.float32)
    if picture.mode in {"1", "L"}:
        return np.asarray(picture.convert("L")).astype(np.float32)
    channels = np.asarray(picture.convert("RGB"))
    coloured = int(np.count_nonzero(np.ptp(channels, axis=2) > _MOST_CHROMA))
    if coloured:
        raise InputError(
            "picture_coloured",
            f"{name}: {coloured} of its pixels are coloured: marks or an overlay are burned into it. "
            "Export the slice again without them.",
        )
    grey: NDArray[np.float32] = channels.mean(axis=2, dtype=np.float32)
    return grey


def _clipping(grey: NDArray[np.float32]) -> Iterator[str]:
    highest = grey.max()
    share = float(np.count_nonzero(grey == highest)) / grey.size
    if share > _CLIPPED_SHARE and highest > grey.min():
        yield (
            f"{100 * share:.1f} % of its pixels have its largest value: the export clipped bright signal, so that "
            "edema and fluid may look alike."
        )
