"""The door of NRRD and MetaImage files, read by ITK, whose world is LPS as ours is."""

from __future__ import annotations

import math
import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the alias of its own documentation

from toh_mri.core.errors import GeometryError, InputError
from toh_mri.geometry import Image
from toh_mri.io.files.foreign import foreign_errors
from toh_mri.io.files.memory import require_memory
from toh_mri.io.files.names import stem_without
from toh_mri.io.files.opening import open_binary
from toh_mri.io.series import Loaded
from toh_mri.io.volumes.itk_header import ItkHeader, read_text_header
from toh_mri.io.volumes.nifti_header import MOST_DEFLATE_RATIO
from toh_mri.io.volumes.voxel_layout import VolumeHeader, VoxelLayout, empty_samples, is_usable, lay_out, make_finite

_CODE = "volume_unreadable"
_ZLIB_OR_GZIP = 32  # zlib's sign that either frame will do
_CHUNK_BYTES = 2**20


def read_itk_header(path: Path, maximum_shear_degree: float) -> VolumeHeader:
    """Read the geometry of an NRRD or MetaImage file without its samples.

    Raises
    ------
    InputError
        ``volume_unreadable``, ``not_three_dimensional``, ``unsafe_data_file``.
    GeometryError
        ``no_orientation``, ``sheared``.
    """
    with foreign_errors(_CODE, f"{path.name}: is no readable NRRD or MetaImage file"):
        header = read_text_header(path)
        with _reader(path, header) as reader:
            return VolumeHeader(_layout(reader, path, header, maximum_shear_degree))


def read_itk_volume(path: Path, maximum_shear_degree: float) -> Loaded:
    """Read an NRRD or MetaImage file as float32 signal, with notes. Raises as `read_itk_header`, and ``too_large``."""
    with foreign_errors(_CODE, f"{path.name}: its samples cannot be read"):
        header = read_text_header(path)
        _check_size(path, header)
        _check_deflated(path, header)
        with _reader(path, header) as reader:
            layout = _layout(reader, path, header, maximum_shear_degree)
            stored = reader.Execute()  # kept: the view below does not hold the samples
            array, placed = empty_samples(layout, np.float32)
            placed[:] = sitk.GetArrayViewFromImage(stored).transpose(2, 1, 0)
    notes = make_finite(array)
    return Loaded(Image(array, layout.grid), (*layout.notes, *notes))


@contextmanager
def _reader(path: Path, header: ItkHeader) -> Iterator[sitk.ImageFileReader]:
    """Give a reader that has read the header; ITK's warnings, which quote paths, are silenced."""
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        with _on_disk(path, header) as place:
            reader = sitk.ImageFileReader()
            reader.SetImageIO("NrrdImageIO" if _is_nrrd(path) else "MetaImageIO")
            reader.SetFileName(str(place))
            reader.ReadImageInformation()
            yield reader
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)


@contextmanager
def _on_disk(path: Path, header: ItkHeader) -> Iterator[Path]:
    """Give a path that ITK can open: the file's own, or that of a private copy of an archive's member."""
    if path.exists():
        yield path
        return
    with TemporaryDirectory() as folder:
        for source in (path, header.data_file):
            if source is not None:
                copy = Path(folder) / source.relative_to(path.parent)
                copy.parent.mkdir(parents=True, exist_ok=True)
                with open_binary(source) as packed, copy.open("wb") as unpacked:
                    shutil.copyfileobj(packed, unpacked)
        yield Path(folder) / path.name


def _layout(reader: sitk.ImageFileReader, path: Path, header: ItkHeader, maximum_shear_degree: float) -> VoxelLayout:
    if reader.GetNumberOfComponents() != 1 or tuple(reader.GetSize()) != header.shape:
        raise InputError(_CODE, f"{path.name}: ITK reads its header otherwise than it is written.")
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(reader.GetDirection(), (3, 3)) * np.array(reader.GetSpacing())
    affine[:3, 3] = reader.GetOrigin()
    if not is_usable(affine):
        raise GeometryError("no_orientation", f"{path.name}: its axes are no axes of a volume.")
    return lay_out(affine, header.shape, maximum_shear_degree)


def _check_size(path: Path, header: ItkHeader) -> None:
    """Compare the samples that the header claims with what its data file can hold, before memory is taken."""
    with open_binary(header.data_file or path) as file:
        size = file.seek(0, os.SEEK_END)
    held = size if header.data_file else size - header.header_bytes
    most = held * (MOST_DEFLATE_RATIO if header.compressed else 1)
    if header.claimed_bytes > most or header.packed_bytes not in {None, held}:
        raise InputError(
            _CODE,
            f"{path.name}: its header claims other samples than its data holds.",
            "The file is incomplete or damaged: copy or convert it again.",
        )
    voxels = math.prod(header.shape)
    require_memory(header.claimed_bytes + 4 * voxels + held, f"{path.name}: reading it")


def _check_deflated(path: Path, header: ItkHeader) -> None:
    """Inflate the samples of a compressed MetaImage file: where that fails, ITK goes on with what it has."""
    if not header.compressed or _is_nrrd(path):
        return
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | _ZLIB_OR_GZIP)
    found = 0
    with open_binary(header.data_file or path) as file:
        file.seek(0 if header.data_file else header.header_bytes)
        while not inflater.eof and found <= header.claimed_bytes:
            packed = inflater.unconsumed_tail or file.read(_CHUNK_BYTES)
            if not packed:
                break
            found += len(inflater.decompress(packed, _CHUNK_BYTES))
    if not inflater.eof or found != header.claimed_bytes:
        raise InputError(_CODE, f"{path.name}: its compressed samples are damaged or incomplete.")


def _is_nrrd(path: Path) -> bool:
    return stem_without(path, (".nrrd", ".nhdr")) is not None
