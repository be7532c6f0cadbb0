"""Frames in every transfer syntax that magnetic resonance images meet."""

from __future__ import annotations

import io
import tempfile
from functools import partial
from pathlib import Path
from typing import NamedTuple

import gdcm
import imagecodecs
import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image as Picture
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames
from pydicom.pixels import get_encoder
from pydicom.uid import (
    JPEG2000,
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from tests.io.writers.lossless_jpeg import lossless_jpeg
from tests.io.writers.pixel_format import PixelFormat

# Largest difference of a stored value after the lossy syntaxes, for `stored_volume.smooth`.
NEAR_LOSSLESS_ERROR = 2
JPEG_QUALITY = 98


class Encapsulation(NamedTuple):
    """How encoded frames are laid into Pixel Data (DICOM PS3.5 section A.4).

    Attributes
    ----------
    fragments : int
        Of each frame.
    offsets : str
        ``none``, ``basic`` or ``extended`` offset table.
    """

    fragments: int = 1
    offsets: str = "basic"


ONE_FRAGMENT = Encapsulation()


def set_pixels(
    dataset: Dataset,
    frames: NDArray[np.integer],
    pixels: PixelFormat,
    syntax: UID,
    encapsulation: Encapsulation = ONE_FRAGMENT,
) -> None:
    """Set Pixel Data, what describes it, and the transfer syntax; `frames` has shape (frames, rows, columns)."""
    pixels.describe(dataset, *frames.shape[1:])
    dataset.file_meta.TransferSyntaxUID = syntax
    if not syntax.is_encapsulated:
        dataset.PixelData = pixels.pack(frames, big_endian=syntax == ExplicitVRBigEndian)
        dataset["PixelData"].VR = "OW" if pixels.allocated > 8 or syntax.is_implicit_VR else "OB"
        return
    encoded = [encode(frame.astype(pixels.dtype), pixels, syntax) for frame in frames]
    if encapsulation.offsets == "extended":
        dataset.PixelData, dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = encapsulate_extended(
            encoded
        )
    else:
        dataset.PixelData = encapsulate(encoded, encapsulation.fragments, encapsulation.offsets == "basic")
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True


def encode(frame: NDArray[np.integer], pixels: PixelFormat, syntax: UID) -> bytes:
    """Encode one frame of shape (rows, columns)."""
    return _ENCODERS[syntax](frame, pixels)


def _with_gdcm(frame: NDArray[np.integer], pixels: PixelFormat, *, syntax: int) -> bytes:
    """Encode with GDCM, which does so from file to file."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = SecondaryCaptureImageStorage, "1.2"
    dataset.file_meta = FileMetaDataset()
    set_pixels(dataset, frame[np.newaxis], pixels, ExplicitVRLittleEndian)
    with tempfile.TemporaryDirectory() as folder:
        plain, packed = str(Path(folder) / "plain"), str(Path(folder) / "packed")
        dataset.save_as(plain, enforce_file_format=True)
        reader = gdcm.ImageReader()
        reader.SetFileName(plain)
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
        writer = gdcm.ImageWriter()
        writer.SetFileName(packed)
        if not reader.Read():
            raise ValueError("GDCM cannot read the frame")
        change.SetInput(reader.GetImage())
        if not change.Change():
            raise ValueError("GDCM cannot encode the frame")
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        if not writer.Write():
            raise ValueError("GDCM cannot write the frame")
        return next(generate_frames(pydicom.dcmread(packed).PixelData, number_of_frames=1))


def _with_pydicom(
    frame: NDArray[np.integer], pixels: PixelFormat, *, syntax: UID, plugin: str, **options: object
) -> bytes:
    return get_encoder(syntax).encode(
        frame,
        encoding_plugin=plugin,
        rows=frame.shape[0],
        columns=frame.shape[1],
        samples_per_pixel=1,
        number_of_frames=1,
        bits_allocated=pixels.allocated,
        bits_stored=pixels.stored,
        pixel_representation=int(pixels.signed),
        photometric_interpretation="MONOCHROME2",
        **options,
    )


def _with_pillow(frame: NDArray[np.integer], pixels: PixelFormat) -> bytes:
    if pixels.stored != 8 or pixels.signed:
        raise ValueError("JPEG baseline holds unsigned 8 bits")
    buffer = io.BytesIO()
    Picture.fromarray(frame).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def _jpeg_lossless(frame: NDArray[np.integer], pixels: PixelFormat, *, selection_value: int) -> bytes:
    return lossless_jpeg(frame.astype(np.int64) & (2**pixels.stored - 1), pixels.stored, selection_value)


def _jpeg_2000(frame: NDArray[np.integer], pixels: PixelFormat) -> bytes:
    return imagecodecs.jpeg2k_encode(
        frame, level=80, codecformat="j2k", bitspersample=pixels.stored, reversible=False, numthreads=1
    )


_ENCODERS = {
    RLELossless: partial(_with_pydicom, syntax=RLELossless, plugin="pydicom"),
    JPEGBaseline8Bit: _with_pillow,
    JPEGExtended12Bit: partial(_with_gdcm, syntax=gdcm.TransferSyntax.JPEGExtendedProcess2_4),
    JPEGLossless: partial(_jpeg_lossless, selection_value=6),
    JPEGLosslessSV1: partial(_with_gdcm, syntax=gdcm.TransferSyntax.JPEGLosslessProcess14_1),
    JPEGLSLossless: partial(_with_gdcm, syntax=gdcm.TransferSyntax.JPEGLSLossless),
    JPEGLSNearLossless: partial(
        _with_pydicom, syntax=JPEGLSNearLossless, plugin="pyjpegls", jls_error=NEAR_LOSSLESS_ERROR
    ),
    JPEG2000Lossless: partial(_with_gdcm, syntax=gdcm.TransferSyntax.JPEG2000Lossless),
    JPEG2000: _jpeg_2000,
}
ENCAPSULATED = tuple(_ENCODERS)
