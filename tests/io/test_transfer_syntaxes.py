"""Every transfer syntax gives the stored values; what becomes of broken ones is told by `test_broken_pixels`."""

import numpy as np
import pydicom
import pytest
from pydicom.uid import (
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from tests.io.writers.classic import classic_datasets, save, write_classic
from tests.io.writers.compressed import NEAR_LOSSLESS_ERROR, Encapsulation
from tests.io.writers.enhanced import SIEMENS_XA, enhanced_dataset, frames_of, save_enhanced, scrambled
from tests.io.writers.lossless_jpeg import lossless_jpeg
from tests.io.writers.pixel_format import PixelFormat
from tests.io.writers.stored_volume import StoredVolume, coronal_affine, noise, smooth
from toh_mri.core.config import Config
from toh_mri.core.config.io import IoConfig
from toh_mri.io import load_study

TINY = Config(io=IoConfig(salt="fixed", minimum_field_of_view_mm=0, minimum_coverage_mm=0))
SHAPE = (6, 20, 25)
NATIVE = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
LOSSLESS = (RLELossless, JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless)
FORMATS = {
    "u8": PixelFormat(8, 8),
    "u12": PixelFormat(16, 12),
    "i12": PixelFormat(16, 12, signed=True),
    "u16": PixelFormat(),
    "i16": PixelFormat(signed=True),
}
# Largest difference of a stored value: of 255 for JPEG at quality 98, of 4095 for JPEG 2000 at 80 dB.
JPEG_ERROR = 4
JPEG_2000_ERROR = 4


def volume_of(pixels, content=noise, shape=SHAPE):
    return StoredVolume(content(shape, pixels.stored, signed=pixels.signed), coronal_affine())


def loaded(folder):
    (series,) = load_study(folder, TINY).series
    return series


@pytest.mark.parametrize("pixels", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("syntax", [*NATIVE, *LOSSLESS], ids=lambda syntax: syntax.keyword)
def test_lossless_syntaxes_keep_every_value(tmp_path, syntax, pixels):
    volume = volume_of(pixels)
    write_classic(tmp_path, volume, syntax=syntax, pixels=pixels)
    np.testing.assert_array_equal(loaded(tmp_path).image.array, volume.stored)


@pytest.mark.parametrize(
    ("syntax", "pixels", "error"),
    [
        (JPEGBaseline8Bit, FORMATS["u8"], JPEG_ERROR),
        (JPEGExtended12Bit, FORMATS["u8"], JPEG_ERROR),
        (JPEGLSNearLossless, FORMATS["u8"], NEAR_LOSSLESS_ERROR),
        (JPEGLSNearLossless, FORMATS["u12"], NEAR_LOSSLESS_ERROR),
        (JPEGLSNearLossless, FORMATS["i12"], NEAR_LOSSLESS_ERROR),
        (JPEG2000, FORMATS["u12"], JPEG_2000_ERROR),
        (JPEG2000, FORMATS["i12"], JPEG_2000_ERROR),
    ],
    ids=lambda value: getattr(value, "keyword", None),
)
def test_lossy_syntaxes_stay_close(tmp_path, syntax, pixels, error):
    # One bit stays free, so that no value may leave the range; JPEG 2000 needs more than 32 pixels a side here.
    values = smooth((5, 40, 45), pixels.stored - 1, signed=pixels.signed)
    volume = StoredVolume(values, coronal_affine())
    write_classic(tmp_path, volume, syntax=syntax, pixels=pixels)
    assert np.abs(loaded(tmp_path).image.array - volume.stored).max() <= error


def test_jpeg_of_twelve_bits_is_right_or_left_out_with_a_reason(tmp_path):
    """No permissively licensed decoder here reads it without fault, so it may be refused, never misread."""
    volume = volume_of(FORMATS["u12"], smooth)
    write_classic(tmp_path, volume, syntax=JPEGExtended12Bit, pixels=FORMATS["u12"])
    study = load_study(tmp_path, TINY)
    if study.series:
        assert np.abs(study.series[0].image.array - volume.stored).max() <= 16 * JPEG_ERROR
    else:
        assert study.excluded[0].excluded.code == "pixels_unreadable"


@pytest.mark.parametrize("selection_value", range(1, 8))
def test_lossless_jpeg_with_every_predictor(tmp_path, selection_value):
    volume = volume_of(FORMATS["u12"])
    datasets = classic_datasets(volume, syntax=JPEGLossless, pixels=FORMATS["u12"])
    for data, stored in zip(datasets, volume.stored, strict=True):
        data.PixelData = pydicom.encaps.encapsulate([lossless_jpeg(stored, 12, selection_value)])
    save(tmp_path, datasets)
    np.testing.assert_array_equal(loaded(tmp_path).image.array, volume.stored)


ENCAPSULATIONS = {
    "offset table": Encapsulation(),
    "no offset table": Encapsulation(offsets="none"),
    "three fragments": Encapsulation(fragments=3),
    "three fragments, no offset table": Encapsulation(fragments=3, offsets="none"),
    "extended offset table": Encapsulation(offsets="extended"),
}


@pytest.mark.parametrize("encapsulation", ENCAPSULATIONS.values(), ids=ENCAPSULATIONS)
@pytest.mark.parametrize("syntax", [JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless], ids=lambda s: s.keyword)
def test_fragments_and_offset_tables(tmp_path, syntax, encapsulation):
    volume = volume_of(FORMATS["u12"])
    options = {"syntax": syntax, "pixels": FORMATS["u12"], "encapsulation": encapsulation}
    write_classic(tmp_path / "classic", volume, **options)
    np.testing.assert_array_equal(loaded(tmp_path / "classic").image.array, volume.stored)
    frames = scrambled(frames_of(volume))
    save_enhanced(tmp_path / "enhanced", enhanced_dataset(frames, SIEMENS_XA, **options))
    np.testing.assert_array_equal(loaded(tmp_path / "enhanced").image.array, volume.stored)


@pytest.mark.parametrize("syntax", [*NATIVE, *LOSSLESS], ids=lambda syntax: syntax.keyword)
def test_every_syntax_in_multi_frame_objects(tmp_path, syntax):
    pixels = FORMATS["i16"]
    volume = volume_of(pixels)
    data = enhanced_dataset(scrambled(frames_of(volume)), SIEMENS_XA, syntax=syntax, pixels=pixels)
    save_enhanced(tmp_path, data)
    np.testing.assert_array_equal(loaded(tmp_path).image.array, volume.stored)


@pytest.mark.parametrize(
    "pixels",
    [
        PixelFormat(16, 12, above=0b1010),
        PixelFormat(16, 12, signed=True, above=0b0101),
        PixelFormat(16, 12, signed=True, above=0),
        PixelFormat(16, 15, above=1),
        PixelFormat(16, 12, high_bit=15),
        PixelFormat(16, 12, signed=True, high_bit=15),
        PixelFormat(16, 12, high_bit=13, above=0b11),
        PixelFormat(32, 32),
        PixelFormat(32, 20, signed=True, above=7),
    ],
    ids=lambda pixels: "-".join(map(str, pixels)),
)
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian], ids=lambda s: s.keyword)
def test_bits_beside_the_stored_ones_are_no_signal(tmp_path, pixels, syntax):
    """Overlays in unused bits, signs that were not carried on, and stored bits that do not begin at bit 0.

    The last was allowed until DICOM 2011 and is in archives; ``HighBit`` says where the stored bits end.
    """
    volume = volume_of(pixels)
    write_classic(tmp_path, volume, pixels=pixels, syntax=syntax)
    np.testing.assert_array_equal(loaded(tmp_path).image.array, volume.stored.astype(np.float32))


@pytest.mark.parametrize("syntax", [*NATIVE, RLELossless, JPEGLSLossless], ids=lambda syntax: syntax.keyword)
def test_an_odd_number_of_bytes(tmp_path, syntax):
    volume = volume_of(FORMATS["u8"], shape=(5, 7, 9))
    write_classic(tmp_path / "classic", volume, pixels=FORMATS["u8"], syntax=syntax)
    np.testing.assert_array_equal(loaded(tmp_path / "classic").image.array, volume.stored)
    data = enhanced_dataset(frames_of(volume), SIEMENS_XA, pixels=FORMATS["u8"], syntax=syntax)
    save_enhanced(tmp_path / "enhanced", data)
    np.testing.assert_array_equal(loaded(tmp_path / "enhanced").image.array, volume.stored)


def test_values_that_float32_cannot_hold_are_rounded_not_wrapped(tmp_path):
    pixels = PixelFormat(32, 32)
    volume = StoredVolume(np.full(SHAPE, 2**32 - 1, np.int64), coronal_affine())
    write_classic(tmp_path, volume, pixels=pixels)
    np.testing.assert_array_equal(loaded(tmp_path).image.array, np.float32(2**32))
