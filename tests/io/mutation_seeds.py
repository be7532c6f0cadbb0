"""Whole studies, small and the same each time, of every format and transfer syntax: what mutations begin with."""

from __future__ import annotations

import gc
import gzip
import io
import json
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import nibabel
import numpy as np
import SimpleITK as sitk  # noqa: N813 - the alias of its own documentation
from PIL import Image as Picture
from pydicom.fileset import FileSet
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSLossless,
)

from tests.io.writers.classic import classic_datasets, save, uid_of, write_classic
from tests.io.writers.compressed import ENCAPSULATED, Encapsulation
from tests.io.writers.enhanced import (
    PHILIPS,
    SIEMENS_XA,
    Style,
    enhanced_dataset,
    frames_of,
    save_enhanced,
    scrambled,
)
from tests.io.writers.pixel_format import SIGNED_16, PixelFormat
from tests.io.writers.stored_volume import StoredVolume, coronal_affine, smooth

Files = dict[str, bytes]

_SHAPE = (5, 40, 45)  # JPEG 2000 with the usual number of resolutions needs 32 pixels and more
_EIGHT_BITS = frozenset({JPEGBaseline8Bit, JPEGExtended12Bit})
_ZIP_DATE = (2020, 1, 1, 0, 0, 0)
_SIDECAR = {"Modality": "MR", "RepetitionTime": 4.0, "EchoTime": 0.04, "InversionTime": 0.16, "FlipAngle": 150}


@cache
def seed_studies() -> dict[str, Files]:
    """Return the files of every study by name."""
    studies: dict[str, Files] = {}
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian):
        studies[f"classic {syntax.keyword}"] = _written(
            lambda folder, s=syntax: write_classic(folder, _volume(), syntax=s)
        )
    for syntax in ENCAPSULATED:
        pixels = PixelFormat(8, 8) if syntax in _EIGHT_BITS else PixelFormat(16, 12)
        volume = _volume(pixels.stored - 1)
        options = {"syntax": syntax, "pixels": pixels}
        studies[f"classic {syntax.keyword}"] = _written(
            lambda folder, v=volume, o=options: write_classic(folder, v, **o)
        )
    studies |= _enhanced_studies()
    studies |= _volume_studies()
    studies["DICOMDIR"] = _written(_write_file_set)
    studies["zip"] = {"study.zip": _zipped(studies["classic ExplicitVRLittleEndian"])}
    return studies


def _volume(bits: int = 11) -> StoredVolume:
    return StoredVolume(smooth(_SHAPE, bits), coronal_affine())


def _written(write: Callable[[Path], object]) -> Files:
    """Return what `write` writes into a folder, by path relative to it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder)
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def _enhanced_studies() -> Files:
    late = StoredVolume(_volume().stored[::-1], coronal_affine())
    frames = [*frames_of(_volume(), echo_ms=12.0, slope=2.0), *frames_of(late, echo_ms=80.0, slope=3.0)]
    many_fragments = Encapsulation(fragments=3, offsets="none")
    variants: Iterator[tuple[Style, dict[str, object]]] = iter(
        [
            (SIEMENS_XA, {}),
            (PHILIPS, {"syntax": ImplicitVRLittleEndian}),
            (PHILIPS, {"syntax": JPEGLSLossless, "pixels": PixelFormat(16, 12), "encapsulation": many_fragments}),
        ]
    )
    return {
        f"enhanced {style.name} {' '.join(str(getattr(v, 'keyword', v)) for v in options.values())}".strip(): _written(
            lambda folder, s=style, o=options: save_enhanced(folder, enhanced_dataset(scrambled(frames), s, **o))
        )
        for style, options in variants
    }


def _volume_studies() -> dict[str, Files]:
    volume = _volume()
    ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.affine[:, [2, 1, 0, 3]]
    image = nibabel.Nifti1Image(volume.stored.astype(np.int16).transpose(2, 1, 0), ras)
    image.header.set_slope_inter(2.0, 1.0)
    plain = image.to_bytes()
    packed = gzip.compress(plain, mtime=0)
    sidecar = json.dumps(_SIDECAR).encode()
    studies = {
        "NIfTI": {"stir.nii": plain, "stir.json": sidecar},
        "NIfTI gz": {"sub-01/anat/sub-01_T1w.nii.gz": packed, "sub-01/anat/sub-01_T1w.json": sidecar},
        "picture PNG": {"t1.png": _picture("PNG"), "t1.json": _described()},
        "picture JPEG": {"t1.jpg": _picture("JPEG"), "t1.json": _described()},
    }
    itk_image = sitk.GetImageFromArray(volume.stored.astype(np.int16))
    itk_image.SetSpacing((0.8, 1.0, 4.4))
    itk_image.SetDirection((1, 0, 0, 0, 0, 1, 0, -1, 0))
    for suffix, compressed in (("nrrd", False), ("nrrd", True), ("mha", True), ("mhd", False)):
        name = f"ITK {suffix}{' compressed' if compressed else ''}"
        studies[name] = _written(
            lambda folder, s=suffix, c=compressed: sitk.WriteImage(itk_image, str(folder / f"stir.{s}"), c)
        )
    return studies


def _picture(kind: str) -> bytes:
    buffer = io.BytesIO()
    grey = _volume(8).stored[2].astype(np.uint8)
    Picture.fromarray(grey).save(buffer, kind)
    return buffer.getvalue()


def _described() -> bytes:
    fields = {"pixel_spacing_mm": [0.7, 0.8], "weighting": "T1", "plane": "coronal", "patient_right": "left"}
    return json.dumps(fields).encode()


def _write_file_set(folder: Path) -> None:
    """Write a DICOMDIR and its files. The writer's own temporary folder is removed, with a warning, when it goes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        _fill_file_set(folder)
        gc.collect()


def _fill_file_set(folder: Path) -> None:
    files = FileSet()
    files.ID, files.UID = "EXPORT", uid_of("file set")
    for data in classic_datasets(_volume(), pixels=SIGNED_16, StudyDate="20200131", StudyTime="120000", StudyID="1"):
        with tempfile.TemporaryDirectory() as staging:
            files.add(save(Path(staging), [data])[0])
    files.write(folder)


def _zipped(files: Files) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(f"export/{name}", _ZIP_DATE), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
