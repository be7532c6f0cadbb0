"""The NIfTI door: files in RAS outside, images in LPS inside. No other module converts between the two."""

from __future__ import annotations

import gzip
import io
import os
from pathlib import Path
from typing import NamedTuple

import nibabel
import numpy as np
from numpy.typing import NDArray

from toh_mri.core.config.io import IoConfig
from toh_mri.core.errors import ExportError, InputError
from toh_mri.geometry import Image
from toh_mri.io.foreign import foreign_errors
from toh_mri.io.nifti_geometry import LPS_FROM_RAS, NiftiLayout, layout_of, volume_shape

SUFFIXES = (".nii.gz", ".nii")

_MOST_VOXELS = 2**29  # 2 GiB of float32: more is no MR series but a broken header
_STORED_AS_READ = frozenset({"uint8", "int8", "uint16", "int16", "uint32", "int32"})
_COMPRESSION = 6


class NiftiImage(NamedTuple):
    """An image and what is to be said about how it was read."""

    image: Image
    notes: tuple[str, ...]


def nifti_stem(path: Path) -> str | None:
    """Return the file name without ``.nii`` or ``.nii.gz``; None for other files."""
    name = path.name
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return None


def read_nifti(path: str | Path) -> Image:
    """Read one NIfTI volume.

    Unscaled integers keep their type (label images stay label images); everything else becomes float32, with
    the header's scaling applied. Samples that are not finite take the smallest finite value of the file.

    Returns
    -------
    Image
        Array indexed [slice, row, column] on a grid in LPS mm. See `nifti_geometry` for the choice of axes.

    Raises
    ------
    InputError
        ``nifti_unreadable``, ``not_three_dimensional``, ``too_large``, ``no_samples``.
    GeometryError
        ``no_orientation``, ``sheared``, ``invalid_grid``.
    """
    return read_nifti_with_notes(Path(path), IoConfig().maximum_shear_degree).image


def read_nifti_with_notes(path: Path, maximum_shear_degree: float) -> NiftiImage:
    """Read one NIfTI volume as `read_nifti` does, and say what had to be corrected."""
    source = _open(path)
    layout = _layout(source, path, maximum_shear_degree)
    with foreign_errors("nifti_unreadable", f"{path.name}: its samples cannot be read"):
        stored = _samples(source)
    array, replaced = _finite(stored.reshape(volume_shape(source.header)).transpose(layout.axes))
    notes = (f"{replaced} samples were not finite and took the smallest value.",) if replaced else ()
    return NiftiImage(Image(array, layout.grid), (*layout.notes, *notes))


def read_nifti_layout(path: Path, maximum_shear_degree: float) -> NiftiLayout:
    """Read the geometry of a NIfTI file without its samples. Raises as `read_nifti` does."""
    return _layout(_open(path), path, maximum_shear_degree)


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
    if nifti_stem(path) is None:
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


def _open(path: Path) -> nibabel.Nifti1Image:
    with foreign_errors("nifti_unreadable", f"{path.name}: is no readable NIfTI file"):
        source = nibabel.load(path)
        if not isinstance(source, nibabel.Nifti1Image):
            raise InputError("nifti_unreadable", f"{path.name}: is of another format than its name says.")
        kind = source.get_data_dtype()
    if kind.kind not in "iufb" or kind.names:
        raise InputError("nifti_unreadable", f"{path.name}: its samples are colours or complex numbers, not signal.")
    if np.prod(volume_shape(source.header), dtype=np.float64) > _MOST_VOXELS:
        raise InputError("too_large", f"{path.name}: its header claims more voxels than a series can have.")
    return source


def _layout(source: nibabel.Nifti1Image, path: Path, maximum_shear_degree: float) -> NiftiLayout:
    with foreign_errors("nifti_unreadable", f"{path.name}: its geometry cannot be read"):
        return layout_of(source.header, maximum_shear_degree)


def _samples(source: nibabel.Nifti1Image) -> NDArray[np.generic]:
    slope, intercept = source.dataobj.slope, source.dataobj.inter
    if source.get_data_dtype().name in _STORED_AS_READ and (slope, intercept) == (1.0, 0.0):
        stored: NDArray[np.generic] = np.asanyarray(source.dataobj)
        return stored.astype(stored.dtype.newbyteorder("="), copy=False)
    return np.asarray(source.dataobj, dtype=np.float32)


def _finite(array: NDArray[np.generic]) -> tuple[NDArray[np.generic], int]:
    if array.dtype.kind != "f":
        return array, 0
    good = np.isfinite(array)
    replaced = int(array.size - np.count_nonzero(good))
    if replaced == array.size:
        raise InputError("no_samples", "The NIfTI file holds no finite sample.")
    return (np.where(good, array, array[good].min()), replaced) if replaced else (array, 0)
