"""Broken pixel data and files cost their own series, with a reason, and no other; nothing crashes or takes memory."""

import itertools
import struct

import numpy as np
import pydicom
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from tests.io.reader_process import ReaderProcess
from tests.io.writers.classic import T1, classic_datasets, save, write_classic
from tests.io.writers.pixel_format import PixelFormat
from tests.io.writers.stored_volume import StoredVolume, coronal_affine, noise
from toh_mri.core.config import Config
from toh_mri.core.config.io import IoConfig
from toh_mri.io import find_studies, load_study, read_study

TINY = Config(io=IoConfig(salt="fixed", minimum_field_of_view_mm=0, minimum_coverage_mm=0))
SHAPE = (6, 20, 25)
U12, U16, I12, I16 = PixelFormat(16, 12), PixelFormat(), PixelFormat(16, 12, signed=True), PixelFormat(signed=True)


def volume_of(pixels):
    return StoredVolume(noise(SHAPE, pixels.stored, signed=pixels.signed), coronal_affine())


def loaded(folder):
    (series,) = load_study(folder, TINY).series
    return series


def claim_in_frame(marker, offset, form, size):
    """Return a change that sets the size an encoded frame gives of itself; the data set's stays as it was."""

    def change(data):
        frame = bytearray(next(pydicom.encaps.generate_frames(data.PixelData, number_of_frames=1)))
        for place in (frame.index(marker) + skip for skip in offset):
            struct.pack_into(form, frame, place, size, size)
        data.PixelData = pydicom.encaps.encapsulate([bytes(frame)])

    return change


CLAIMS = {
    "JPEG-LS": (JPEGLSLossless, claim_in_frame(b"\xff\xf7", (5,), ">HH", 40_000)),
    "JPEG lossless": (JPEGLosslessSV1, claim_in_frame(b"\xff\xc3", (5,), ">HH", 40_000)),
    "JPEG 2000": (JPEG2000Lossless, claim_in_frame(b"\xff\x51", (6, 22), ">II", 2_000_000_000)),
    "JPEG 2000, less absurd": (JPEG2000Lossless, claim_in_frame(b"\xff\x51", (6, 22), ">II", 60_000)),
}


@pytest.mark.parametrize(("syntax", "change"), CLAIMS.values(), ids=CLAIMS)
def test_a_frame_that_claims_an_absurd_size_takes_no_memory(tmp_path, syntax, change):
    """Decoders take what the code stream claims of itself: it has to be compared with Rows and Columns before."""
    datasets = classic_datasets(volume_of(U12), syntax=syntax, pixels=U12)
    for data in datasets:
        change(data)
    save(tmp_path / "broken", datasets)
    write_classic(tmp_path / "whole", volume_of(U12), syntax=syntax, pixels=U12)
    with ReaderProcess() as reader:
        whole = reader.read(tmp_path / "whole")
        broken = reader.read(tmp_path / "broken")
    assert whole.kinds == ("volume",)
    assert broken.failure == ""
    assert broken.kinds == ("series left out: pixels_unreadable",)
    assert broken.peak_mib < whole.peak_mib + 100


def drop(keyword):
    def change(data):
        delattr(data, keyword)

    return change


def put(**values):
    def change(data):
        for keyword, value in values.items():
            setattr(data, keyword, value)

    return change


def cut_pixels(data):
    data.PixelData = data.PixelData[: len(data.PixelData) // 2]


def cut_encoded_frame(data):
    frame = next(pydicom.encaps.generate_frames(data.PixelData, number_of_frames=1))
    data.PixelData = pydicom.encaps.encapsulate([frame[: len(frame) // 2]])


def break_fragments(data):
    data.PixelData = data.PixelData[:8] + b"\xfe\xff\x00\xe0\xff\xff\xff\x7f" + data.PixelData[16:]


def no_fragments(data):
    data.PixelData = b"\xfe\xff\x00\xe0\0\0\0\0" * 2  # an offset table and a fragment, both of length 0


def frame_of_another_size(data):
    small = noise((1, 10, 12), 16)[0].astype(np.uint16)
    encoder = pydicom.pixels.get_encoder(JPEGLSLossless)
    values = {"rows": 10, "columns": 12, "samples_per_pixel": 1, "number_of_frames": 1, "bits_allocated": 16}
    values |= {"bits_stored": 16, "pixel_representation": 0, "photometric_interpretation": "MONOCHROME2"}
    data.PixelData = pydicom.encaps.encapsulate([encoder.encode(small, encoding_plugin="pyjpegls", **values)])


BROKEN = {
    "pixel data cut off": (ExplicitVRLittleEndian, cut_pixels),
    "no pixel data": (ExplicitVRLittleEndian, drop("PixelData")),
    "empty pixel data": (ExplicitVRLittleEndian, put(PixelData=b"")),
    "more rows than pixels": (ExplicitVRLittleEndian, put(Rows=40)),
    "65535 x 65535 claimed": (ExplicitVRLittleEndian, put(Rows=65535, Columns=65535)),
    "65535 x 65535 claimed, deflated": (DeflatedExplicitVRLittleEndian, put(Rows=65535, Columns=65535)),
    "65535 x 65535 claimed, JPEG-LS": (JPEGLSLossless, put(Rows=65535, Columns=65535)),
    "more frames than pixels": (ExplicitVRLittleEndian, put(NumberOfFrames=3)),
    "a billion frames": (ExplicitVRLittleEndian, put(NumberOfFrames=10**9)),
    "no bits allocated": (ExplicitVRLittleEndian, put(BitsAllocated=0)),
    "13 bits allocated": (ExplicitVRLittleEndian, put(BitsAllocated=13)),
    "bits not given": (ExplicitVRLittleEndian, drop("BitsAllocated")),
    "more bits stored than allocated": (ExplicitVRLittleEndian, put(BitsStored=24)),
    "sign not given": (ExplicitVRLittleEndian, drop("PixelRepresentation")),
    "encoded frame cut off": (JPEGLSLossless, cut_encoded_frame),
    "encoded frame cut off, JPEG 2000": (JPEG2000Lossless, cut_encoded_frame),
    "encoded frame cut off, JPEG": (JPEGLosslessSV1, cut_encoded_frame),
    "encoded frame cut off, RLE": (RLELossless, cut_encoded_frame),
    "fragment longer than the file": (JPEGLSLossless, break_fragments),
    "empty fragment": (JPEG2000Lossless, no_fragments),
    "encoded frame of another size": (JPEGLSLossless, frame_of_another_size),
    "plain pixels called JPEG 2000": (ExplicitVRLittleEndian, "relabel"),
}


@pytest.mark.parametrize(("syntax", "change"), BROKEN.values(), ids=BROKEN)
def test_broken_pixels_cost_their_series_and_no_other(tmp_path, syntax, change):
    broken = classic_datasets(volume_of(U16), syntax=syntax, pixels=U16)
    for data in broken:
        if change == "relabel":
            data.PixelData = pydicom.encaps.encapsulate([data.PixelData])
            data.file_meta.TransferSyntaxUID = JPEG2000Lossless
        else:
            change(data)
    save(tmp_path, broken)
    whole = volume_of(I12)
    write_classic(tmp_path, whole, pixels=I12, protocol=T1)
    study = load_study(tmp_path, TINY)
    assert [series.name for series in study.series] == ["COR_T1"]
    np.testing.assert_array_equal(study.series[0].image.array, whole.stored)
    (lost,) = study.excluded
    assert lost.excluded.code in {"pixels_unreadable", "too_large", "frames_disagree", "not_an_image"}
    assert lost.excluded.message.endswith(".")
    for secret in ("Mueller", "MRN-77", str(tmp_path)):
        assert secret not in lost.excluded.message


def test_an_rle_segment_outside_its_frame_is_no_crash(tmp_path):
    """PS3.5 annex G: offsets of segments from the head of the frame, which some decoders follow anywhere."""
    outcomes = {}
    with ReaderProcess() as reader:
        for segment, offset in itertools.product((0, 1), (0, 1, 63, 5_000, 2**24, 2**31, 2**32 - 16)):
            datasets = classic_datasets(volume_of(U12), syntax=RLELossless, pixels=U12)
            for data in datasets:
                frame = bytearray(next(pydicom.encaps.generate_frames(data.PixelData, number_of_frames=1)))
                struct.pack_into("<I", frame, 4 + 4 * segment, offset)
                data.PixelData = pydicom.encaps.encapsulate([bytes(frame)])
            folder = tmp_path / f"{segment}-{offset}"
            save(folder, datasets)
            outcome = reader.read(folder)
            outcomes[folder.name] = outcome.failure or ", ".join(outcome.kinds)
    assert set(outcomes.values()) == {"series left out: pixels_unreadable"}, outcomes


def test_one_broken_slice_costs_the_series(tmp_path):
    """A volume with a hole nobody knows of would be wrong in silence."""
    datasets = classic_datasets(volume_of(U16), pixels=U16)
    cut_pixels(datasets[3])
    save(tmp_path, datasets)
    study = load_study(tmp_path, TINY)
    assert study.series == ()
    (lost,) = study.excluded
    assert lost.excluded.code == "pixels_unreadable"
    assert "lice 4 of 6" in lost.excluded.message


def test_more_pixel_data_than_needed_is_no_harm(tmp_path):
    """Trailing padding is common; the pixels before it are whole."""
    volume = volume_of(U16)
    datasets = classic_datasets(volume, pixels=U16)
    for data in datasets:
        data.PixelData += b"\0" * 6
    save(tmp_path, datasets)
    np.testing.assert_array_equal(loaded(tmp_path).image.array, volume.stored)


def test_fewer_columns_than_stored_never_give_a_sheared_picture(tmp_path):
    """With fewer columns than were stored every row would begin elsewhere, and nothing would look broken."""
    datasets = classic_datasets(volume_of(U16), pixels=U16)
    for data in datasets:
        data.Columns = 16
    save(tmp_path, datasets)
    study = load_study(tmp_path, TINY)
    assert study.series == ()
    assert study.excluded[0].excluded.code == "pixels_unreadable"


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_files_without_preamble_or_meta_information(tmp_path, syntax):
    """Data sets as old archives keep them: nothing before the first element."""
    volume = volume_of(I16)
    for number, data in enumerate(classic_datasets(volume, syntax=syntax)):
        data.file_meta = pydicom.dataset.FileMetaDataset()
        data.save_as(
            tmp_path / f"{number}.ima",
            implicit_vr=syntax.is_implicit_VR,
            little_endian=syntax.is_little_endian,
            enforce_file_format=False,
        )
    np.testing.assert_array_equal(loaded(tmp_path).image.array, volume.stored)


def test_files_without_preamble_but_with_meta_information(tmp_path):
    volume = volume_of(I16)
    for path in write_classic(tmp_path, volume, syntax=JPEGLSLossless):
        path.write_bytes(path.read_bytes()[132:])
    np.testing.assert_array_equal(loaded(tmp_path).image.array, volume.stored)


def test_what_is_no_dicom_is_named_and_does_no_harm(tmp_path):
    write_classic(tmp_path, volume_of(I16))
    (tmp_path / "text.dcm").write_text("This is a note, not an image.\n" * 40)
    (tmp_path / "empty.dcm").touch()
    (tmp_path / "mark only.dcm").write_bytes(b"\0" * 128 + b"DICM")
    (tmp_path / "noise.dcm").write_bytes(np.random.default_rng(0).bytes(5000))
    (tmp_path / "marked noise.dcm").write_bytes(b"\0" * 128 + b"DICM" + np.random.default_rng(1).bytes(5000))
    (index,) = find_studies(tmp_path, TINY.io)
    assert {item.path.name for item in index.skipped} == {path.name for path in tmp_path.glob("*.dcm")}
    assert all(item.reason.code and item.reason.message for item in index.skipped)
    assert [series.name for series in read_study(index, TINY.io).series] == ["COR_STIR"]
