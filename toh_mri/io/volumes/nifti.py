"""The NIfTI door: files in RAS outside, images in LPS inside. No other module converts between the two."""

from __future__ import annotations

import gzip
import io
import math
import os
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray

from toh_mri.core.config.io import IoConfig
from toh_mri.core.errors import ExportError, InputError
from toh_mri.geometry import Image
from toh_mri.io.files.foreign import foreign_errors
from toh_mri.io.files.memory import require_memory
from toh_mri.io.files.names import NIFTI_SUFFIXES, stem_without
from toh_mri.io.series import Loaded
from toh_mri.io.volumes.nifti_geometry import LPS_FROM_RAS, volume_header
from toh_mri.io.volumes.nifti_header import NiftiFile, check_size, open_nifti, read_header, scaling, stored_samples
from toh_mri.io.volumes.voxel_layout import VolumeHeader, VoxelLayout, empty_samples, make_finite

_STORED_AS_READ = frozenset({"uint8", "int8", "uint16", "int16", "uint32", "int32"})
_COMPRESSION = 6


def read_nifti(path: str | Path) -> Image:
    """Read one NIfTI volume.

    Unscaled integers keep their type (label images stay label images); everything else becomes float32, with
    the header's scaling applied. Samples that are not finite take the smallest finite value of the file.

    Returns
    -------
    Image
        Array indexed [slice, row, column] on a grid in LPS mm. See `voxel_layout` for the choice of axes.

    Raises
    ------
    InputError
        ``nifti_unreadable``, ``not_three_dimensional``, ``too_large``, ``no_samples``.
    GeometryError
        ``no_orientation``, ``sheared``.
    """
    path = Path(path)
    with open_nifti(path) as file:
        header = volume_header(file.header, IoConfig().maximum_shear_degree)
        if header.volumes > 1:
            raise InputError(
                "not_three_dimensional",
                f"{path.name}: holds {header.volumes} volumes, not one.",
                "Split time series and echoes into one file each.",
            )
        kind = file.header.get_data_dtype()
        as_stored = kind.name in _STORED_AS_READ and scaling(file.header) == (1.0, 0.0)
        array = _samples(file, path.name, header.layout, kind.newbyteorder("=") if as_stored else np.dtype(np.float32))
    make_finite(array)
    return Image(array, header.layout.grid)


def read_nifti_header(path: Path, maximum_shear_degree: float) -> VolumeHeader:
    """Read the geometry of a NIfTI file without its samples. Raises as `read_nifti` does."""
    header = read_header(path)
    with foreign_errors("nifti_unreadable", f"{path.name}: its geometry cannot be read"):
        return volume_header(header, maximum_shear_degree)


def read_nifti_volume(path: Path, maximum_shear_degree: float, volume: int = 0) -> Loaded:
    """Read one volume of a NIfTI file as float32 signal, scaled, with notes. Raises as `read_nifti` does."""
    with open_nifti(path) as file:
        layout = volume_header(file.header, maximum_shear_degree).layout
        slope, intercept = scaling(file.header)
        array = _samples(file, path.name, layout, np.dtype(np.float32), volume)
    notes = make_finite(array)
    rescale = None if (slope, intercept) == (1.0, 0.0) else f"slope {slope:.6g}, intercept {intercept:.6g}"
    return Loaded(Image(array, layout.grid), (*layout.notes, *notes), rescale)


def write_nifti(path: str | Path, image: Image) -> None:
    """Write an image as NIfTI-1: i = column, j = row, k = slice, sform and qform alike.

    The same image gives the same bytes. The file appears whole or not at all. bool becomes uint8 and float64
    becomes float32, the types of `read_nifti`.

    Raises
    ------
    ExportError
        ``unsupported_type`` for other sample types or a name that ends in neither ``.nii`` nor ``.nii.gz``;
        ``write_failed``.
    """
    path = Path(path)
    if stem_without(path, NIFTI_SUFFIXES) is None:
        raise ExportError("unsupported_type", f"{path.name} ends in neither .nii nor .nii.gz.")
    content = _encode(image)
    if path.name.lower().endswith(".gz"):
        content = gzip.compress(content, compresslevel=_COMPRESSION, mtime=0)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ExportError("write_failed", f"{path}: cannot be written ({error.strerror}).") from error


def _encode(image: Image) -> bytes:
    affine = image.grid.affine
    ras = LPS_FROM_RAS @ np.column_stack([affine[:, 2], affine[:, 1], affine[:, 0], affine[:, 3]])
    target = nibabel.Nifti1Image(_storable(image.array).transpose(2, 1, 0), ras)
    target.header.set_dim_info(slice=2)
    target.header.set_xyzt_units("mm")
    target.set_sform(ras, code="scanner")
    target.set_qform(ras, code="scanner")
    buffer = io.BytesIO()
    target.to_file_map({"header": nibabel.FileHolder(fileobj=buffer), "image": nibabel.FileHolder(fileobj=buffer)})
    return buffer.getvalue()


def _storable(array: NDArray[np.generic]) -> NDArray[np.generic]:
    if array.dtype == np.bool_:
        return array.astype(np.uint8)
    if array.dtype.kind == "f":
        return array.astype(np.float32)
    if array.dtype.name not in _STORED_AS_READ:
        raise ExportError("unsupported_type", f"Samples of type {array.dtype} have no place in a NIfTI file.")
    return array


def _samples(
    file: NiftiFile, name: str, layout: VoxelLayout, kind: np.dtype[np.generic], volume: int = 0
) -> NDArray[np.generic]:
    """Return the samples of one volume, [slice, row, column], as `kind`, scaled."""
    slope, intercept = scaling(file.header)
    check_size(file, name)
    require_memory(math.prod(layout.grid.shape) * kind.itemsize, f"{name}: reading it")
    array, placed = empty_samples(layout, kind)
    for first, piece in stored_samples(file, name, volume):
        signal = piece if (slope, intercept) == (1.0, 0.0) else piece * np.float64(slope) + intercept
        placed[:, :, first : first + len(piece)] = signal.transpose(2, 1, 0)
    return array
