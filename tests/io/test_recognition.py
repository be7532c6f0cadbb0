"""DICOM is recognised with and without its preamble; text and random bytes are not taken for it."""

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite, write_file_meta_info
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
    MRImageStorage,
)

from toh_mri.io.files.recognition import HEAD_BYTES, FileKind, recognise

SYNTAXES = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]


def header(**values: object) -> Dataset:
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID = MRImageStorage, "1.2.3"
    data.Modality, data.Rows, data.PatientName = "MR", 4, "Doe^John"
    for keyword, value in values.items():
        setattr(data, keyword, value)
    return data


def encode(data: Dataset, syntax: str) -> bytes:
    buffer = io.BytesIO()
    dcmwrite(buffer, data, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=syntax != ExplicitVRBigEndian)
    return buffer.getvalue()


FIRST = [
    {},
    {"SpecificCharacterSet": "ISO_IR 100"},
    {"ImageType": ["ORIGINAL", "PRIMARY", "M", "SE"]},
    {"ImageType": ["ORIGINAL", "PRIMARY", *(f"VALUE{k}" for k in range(40))]},
    {"LanguageCodeSequence": [header()]},
]


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("first", FIRST)
def test_a_data_set_without_preamble_is_dicom(syntax, first):
    content = encode(header(**first), syntax)
    assert content[:4] != bytes(4)
    assert recognise(content[:HEAD_BYTES]) is FileKind.DICOM


@pytest.mark.parametrize("mark", ["<", ">"])
def test_a_group_length_may_come_first(mark):
    syntax = ExplicitVRLittleEndian if mark == "<" else ExplicitVRBigEndian
    length = struct.pack(f"{mark}HH2sHI", 8, 0, b"UL", 4, 90)
    assert recognise(length + encode(header(), syntax)) is FileKind.DICOM
    assert recognise(struct.pack("<HHII", 8, 0, 4, 90) + encode(header(), ImplicitVRLittleEndian)) is FileKind.DICOM


@pytest.mark.parametrize("preamble", [bytes(128) + b"DICM", b""])
@pytest.mark.parametrize(("kind", "expected"), [(MRImageStorage, "DICOM"), (MediaStorageDirectoryStorage, "DICOMDIR")])
def test_file_meta_information_tells_a_dicomdir_from_an_image(preamble, kind, expected):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = kind, "1.2.3"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = DicomBytesIO()
    write_file_meta_info(buffer, meta)
    assert recognise(preamble + buffer.getvalue()) is FileKind[expected]


@settings(max_examples=2000, deadline=None)
@given(content=st.binary(max_size=HEAD_BYTES))
def test_random_bytes_are_no_dicom(content):
    assert recognise(content) is not FileKind.DICOM


@settings(max_examples=2000, deadline=None)
@given(
    group=st.sampled_from([b"\x08\x00", b"\x02\x00", b"\x00\x08", b"\x00\x02"]),
    kind=st.sampled_from([b"", b"\x00\x00", b"\x05\x00CS", b"\x05\x00\x04\x00", b"\x00\x05CS\x00\x02"]),
    rest=st.binary(min_size=40, max_size=200),
)
def test_random_bytes_that_begin_like_dicom_are_none(group, kind, rest):
    assert recognise(group + kind + rest) is not FileKind.DICOM


@pytest.mark.parametrize("number", [2, 8])
@pytest.mark.parametrize("form", ["<i", ">i", "<h", ">h", "<d", "<f"])
def test_tables_of_small_numbers_are_no_dicom(number, form):
    for second in range(300):
        values = [number, second % 120, *range(100)]
        assert recognise(b"".join(struct.pack(form, value) for value in values)) is FileKind.OTHER


@settings(max_examples=1000, deadline=None)
@given(text=st.text(max_size=600), encoding=st.sampled_from(["utf-8", "utf-16", "cp1252"]))
def test_text_is_never_dicom(text, encoding):
    assert recognise(text.encode(encoding, errors="replace")) is not FileKind.DICOM


@pytest.mark.parametrize("content", [b"", b"\x08", b"\x08\x00", b"\x08\x00\x05\x00CS\x02\x00", b"DICM", bytes(2000)])
def test_fragments_are_no_dicom(content):
    assert recognise(content) is FileKind.OTHER
