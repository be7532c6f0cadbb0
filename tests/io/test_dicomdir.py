"""Which files a DICOMDIR lists: found in whatever way a copy has changed their names, never outside its folder."""

import warnings
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from toh_mri.core.errors import InputError
from toh_mri.io.dicom.directory import read_dicomdir
from toh_mri.io.files.find import find_files


def write_dicomdir(path: Path, listed: list, **attributes: object) -> Path:
    """Write a DICOMDIR with one image record for each entry; an entry is the list of its path's parts, or None."""
    data = Dataset()
    data.DirectoryRecordSequence = []
    for parts in listed:
        record = Dataset()
        record.DirectoryRecordType = "PATIENT" if parts is None else "IMAGE"
        if parts is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # some are what the standard forbids
                record.ReferencedFileID = parts
        for keyword, value in attributes.items():
            setattr(record, keyword, value)
        data.DirectoryRecordSequence.append(record)
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID, data.file_meta.MediaStorageSOPInstanceUID = (
        MediaStorageDirectoryStorage,
        "1.2.3",
    )
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path


def write(root: Path, *names: str) -> list:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return [root / name for name in names]


def test_files_are_found_and_missing_ones_named_in_the_listed_order(tmp_path):
    path = write_dicomdir(
        tmp_path / "DICOMDIR", [None, ["S", "IM2"], ["S", "IM3"], ["S", "IM1"], ["TOP"], ["S", "IM2"]]
    )
    found = write(tmp_path, "S/IM2", "S/IM1", "TOP", "S/UNLISTED")
    directory = read_dicomdir(path)
    assert directory.found == tuple(found[:3])
    assert directory.missing == (tmp_path / "S" / "IM3",)
    assert directory.refused == 0
    assert find_files(tmp_path).dicomdirs == [path]


@pytest.mark.parametrize("name", ["dicom/im0001", "DICOM/IM0001;1", "Dicom/IM0001.", "dicom/im0001.;1", "DICOM/IM0001"])
def test_names_that_copying_changed_are_found(tmp_path, name):
    path = write_dicomdir(tmp_path / "dicomdir;1", [["DICOM", "IM0001"]])
    expected = write(tmp_path, name)
    assert read_dicomdir(path).found == tuple(expected)


def test_the_name_as_it_is_listed_comes_first(tmp_path):
    path = write_dicomdir(tmp_path / "DICOMDIR", [["S", "IM1"], ["S", "im1"], ["S", "Im1"]])
    write(tmp_path, "S/IM1", "S/im1")
    if len(list((tmp_path / "S").iterdir())) == 1:
        pytest.skip("the disk does not tell upper from lower case")
    assert read_dicomdir(path).found == (tmp_path / "S/IM1", tmp_path / "S/im1")


@pytest.mark.parametrize(
    "parts", [["..", "IM"], ["S", "..", "..", "IM"], ["/", "IM"], ["", "IM"], ["C:", "IM"], ["S/../../IM"], ["."]]
)
def test_entries_that_lead_out_are_refused(tmp_path, parts):
    path = write_dicomdir(tmp_path / "disc" / "DICOMDIR", [parts, ["GOOD"]])
    write(tmp_path, "IM", "disc/GOOD", "disc/S/x")
    directory = read_dicomdir(path)
    assert directory.found == (tmp_path / "disc" / "GOOD",)
    assert directory.missing == ()
    assert directory.refused == 1


def test_records_out_of_use_do_not_count(tmp_path):
    path = write_dicomdir(tmp_path / "DICOMDIR", [["GONE"]], RecordInUseFlag=0)
    assert read_dicomdir(path).missing == ()


def test_a_disc_may_be_zipped(tmp_path):
    write_dicomdir(tmp_path / "DICOMDIR", [["S", "IM1"], ["S", "IM2"], ["IM3"]])
    with zipfile.ZipFile(tmp_path / "disc.zip", "w") as archive:
        archive.write(tmp_path / "DICOMDIR", "cd/DICOMDIR")
        archive.write(tmp_path / "DICOMDIR", "DICOMDIR")
        for name in ("cd/s/im1", "cd/IM3", "IM3"):
            archive.writestr(name, b"x")
    disc = tmp_path / "disc.zip"
    inner = read_dicomdir(disc / "cd" / "DICOMDIR")
    assert inner.found == (disc / "cd/s/im1", disc / "cd/IM3")
    assert inner.missing == (disc / "cd/S/IM2",)
    assert read_dicomdir(disc / "DICOMDIR").found == (disc / "IM3",)
    assert find_files(disc).dicomdirs == [disc / "DICOMDIR", disc / "cd/DICOMDIR"]


@pytest.mark.parametrize("content", [b"", b"text", bytes(128) + b"DICM", bytes(500)])
def test_a_broken_dicomdir_is_named(tmp_path, content):
    (tmp_path / "DICOMDIR").write_bytes(content)
    with pytest.raises(InputError, match="dicomdir_unreadable"):
        read_dicomdir(tmp_path / "DICOMDIR")


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_mutated_dicomdir_gives_files_of_its_folder_or_an_error(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("disc")
    path = write_dicomdir(folder / "DICOMDIR", [["S", "IM1"], ["S", "IM2"], ["IM3"]])
    write(folder, "S/IM1", "IM3")
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(132, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(132, len(content))) if data.draw(st.booleans()) else None])
    with suppress(InputError):
        directory = read_dicomdir(path)
        assert all(item.is_relative_to(folder) and ".." not in item.parts for item in directory.found)
