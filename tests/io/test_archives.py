"""Zip archives as folders: what is opened, what is refused; a hostile archive ends in neither harm nor crash."""

import os
import stat
import struct
import threading
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toh_mri.core.errors import InputError
from toh_mri.io.files import archive as archive_module
from toh_mri.io.files.archive import open_archive
from toh_mri.io.files.find import find_files
from toh_mri.io.files.opening import names_in, open_binary, read_head

IMAGE = bytes(128) + b"DICM" + bytes(range(256)) * 20
CENTRAL = b"PK\x01\x02"
LOCAL = b"PK\x03\x04"


def pack(path: Path, members: dict, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write a zip archive; keys are names or ZipInfo."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as target:
        for name, content in members.items():
            target.writestr(name, content, compress_type=method)
    return path


def patch(path: Path, mark: bytes, number: int, offset: int, form: str, value: int) -> Path:
    """Overwrite one field of the header that is the given one with this mark."""
    content = bytearray(path.read_bytes())
    start = -1
    for _ in range(number + 1):
        start = content.index(mark, start + 1)
    struct.pack_into(form, content, start + offset, value)
    path.write_bytes(content)
    return path


def codes(path: Path) -> dict:
    """Return why each item was skipped, by its path below the archive's folder."""
    return {item.path.relative_to(path.parent).as_posix(): item.reason.code for item in find_files(path).skipped}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("content", [b"x", IMAGE, bytes(3 * 2**20), os.urandom(2**20 + 7), b""])
def test_a_member_is_read_as_it_was_packed(tmp_path, method, content):
    path = pack(tmp_path / "study.zip", {"series/IM1": content, "other": b"y"}, method)
    with open_binary(path / "series" / "IM1") as file:
        assert file.read() == content
        file.seek(-min(5, len(content)), os.SEEK_END)
        assert file.read() == content[-5:]
    assert read_head(path / "series/IM1", 1024) == content[:1024]


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=3000), repeats=st.integers(1, 400), count=st.integers(0, 5000))
def test_heads_and_members_of_any_content(tmp_path_factory, content, repeats, count):
    path = pack(tmp_path_factory.mktemp("zip") / "a", {"x": content * repeats})
    assert open_binary(path / "x").read() == content * repeats
    assert read_head(path / "x", count) == (content * repeats)[:count]


def test_what_is_not_there_is_missing_as_it_is_on_disk(tmp_path):
    path = pack(tmp_path / "study.zip", {"series/IM1": IMAGE})
    for missing in (
        path / "series/IM2",
        path / "series",
        path / "series/IM1/x",
        tmp_path / "none",
        tmp_path / "none/x",
    ):
        with pytest.raises(FileNotFoundError):
            open_binary(missing)
    with pytest.raises(InputError, match="path_missing"):
        find_files(path / "elsewhere")
    with pytest.raises(InputError, match="path_missing"):
        find_files(tmp_path / "none")


def test_a_path_through_a_file_that_is_no_archive_is_an_error(tmp_path):
    (tmp_path / "text").write_text("no archive")
    with pytest.raises(InputError, match="archive_unreadable"):
        open_binary(tmp_path / "text" / "IM1")


def test_an_archive_is_a_folder_whatever_it_is_called(tmp_path):
    members = {"b/IM2": IMAGE, "b/IM10": IMAGE, "a.nii.gz": b"", "c/x_labels.nii": b"", "truth/y.nii": b"", ".z": b"1"}
    path = pack(tmp_path / "in" / "export", members | {"a.json": b"{}", "no.dcm": b"text", "__MACOSX/b/._IM2": b"1"})
    for root in (tmp_path, path):
        found = find_files(root)
        assert found.dicom == [path / "b/IM10", path / "b/IM2"]
        assert found.volumes == [path / "a.nii.gz"]
        assert [(item.path.relative_to(path).as_posix(), item.reason.code) for item in found.skipped] == [
            (".z", "hidden"),
            ("__MACOSX", "hidden"),
            ("c/x_labels.nii", "label_image"),
            ("no.dcm", "not_an_image"),
            ("truth", "label_folder"),
        ]
    assert names_in(path) == (".z", "__MACOSX", "a.json", "a.nii.gz", "b", "c", "no.dcm", "truth")
    assert names_in(path / "b") == ("IM10", "IM2")
    assert names_in(path / "nowhere") == ()


def test_a_folder_or_a_member_of_an_archive_can_be_asked_for(tmp_path):
    path = pack(tmp_path / "a.zip", {"s/IM1": IMAGE, "s2/IM1": IMAGE, "truth/x_mask.nii": b"", "s/masks/m.nii": b""})
    assert find_files(path / "s").dicom == [path / "s/IM1"]
    assert [item.path for item in find_files(path / "s").skipped] == [path / "s/masks"]
    assert find_files(path / "s2/IM1").dicom == [path / "s2/IM1"]
    assert find_files(path / "truth/x_mask.nii").volumes == [path / "truth/x_mask.nii"]


def test_an_archive_of_labels_is_left_out_by_its_name(tmp_path):
    path = pack(tmp_path / "Masks.zip", {"x.nii": b""})
    assert codes(tmp_path) == {f"{tmp_path.name}/Masks.zip": "label_folder"}
    assert find_files(path).volumes == [path / "x.nii"]


@pytest.mark.parametrize(
    "members",
    [
        {},
        {f"xl/sheet{k}.xml": b"<x/>" for k in range(50)},
        {"[Content_Types].xml": b"<x/>", "word/media/scan.png": b"\x89PNG\r\n\x1a\n"},
        {"META-INF/MANIFEST.MF": b"", "icons/a.png": b"\x89PNG\r\n\x1a\n"},
        {"labels/x.nii": b"", "y_seg.nii.gz": b"", "readme.txt": b"text"},
    ],
)
def test_an_archive_without_images_is_one_thing_left_out(tmp_path, members):
    (item,) = find_files(pack(tmp_path / "x.zip", members)).skipped
    assert (item.reason.code, item.reason.message) == ("not_an_image", "It is an archive that holds no image.")


@pytest.mark.parametrize(
    "name", ["../IM", "a/../../IM", "/etc/IM", "C:/IM", "c:IM", "..\\IM", "\\\\host\\IM", "a%IM", "x" * 2000]
)
def test_names_that_lead_out_are_never_opened(tmp_path, name):
    (tmp_path / "IM").write_bytes(IMAGE)
    path = pack(tmp_path / "in" / "x.zip", {name: IMAGE, "good": IMAGE})
    path.write_bytes(path.read_bytes().replace(b"a%IM", b"a\0IM"))
    found = find_files(path)
    assert found.dicom == [path / "good"]
    assert [(item.path, item.reason.code) for item in found.skipped] == [(path, "unsafe_name")]


def test_backslashes_dots_and_double_slashes_divide_names(tmp_path):
    path = pack(tmp_path / "x.zip", {"a\\b\\1": IMAGE, "./c//2": IMAGE, "d\\": b"", "truth\\3": IMAGE})
    found = find_files(path)
    assert found.dicom == [path / "a/b/1", path / "c/2"]
    assert [item.path for item in found.skipped] == [path / "truth"]
    assert open_binary(path / "a/b/1").read() == IMAGE


def test_of_members_with_one_name_the_last_counts_as_when_unpacking(tmp_path):
    path = pack(tmp_path / "x.zip", {"a/1": b"first", "a\\1": IMAGE})
    assert find_files(path).dicom == [path / "a/1"]
    assert codes(path) == {"x.zip/a/1": "replaced"}
    assert open_binary(path / "a/1").read() == IMAGE


def test_links_encrypted_and_nested_members_are_left_out_by_name(tmp_path):
    link = zipfile.ZipInfo("link")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    pack(tmp_path / "inner.zip", {"IM": IMAGE})
    inner = (tmp_path / "inner.zip").read_bytes()
    path = pack(tmp_path / "in" / "x.zip", {"secret": IMAGE, "inner": inner, link: b"/etc/passwd", "good": IMAGE})
    patch(path, CENTRAL, 0, 8, "<H", 1)
    assert find_files(path).dicom == [path / "good"]
    assert codes(path) == {"x.zip/secret": "encrypted", "x.zip/inner": "nested_archive", "x.zip/link": "link"}
    with pytest.raises(FileNotFoundError):
        open_binary(path / "secret")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_named(tmp_path, method):
    (item,) = find_files(pack(tmp_path / "x.zip", {"IM": IMAGE, "IM2": IMAGE}, method)).skipped
    assert item.reason.code == "unsupported_compression"
    assert item.reason.message.count("deflate") == 1


def test_an_encrypted_archive_says_so_once(tmp_path):
    path = pack(tmp_path / "x.zip", {f"IM{k}": IMAGE for k in range(9)})
    for number in range(9):
        patch(path, CENTRAL, number, 8, "<H", 1)
    (item,) = find_files(path).skipped
    assert item.reason.code == "encrypted"
    assert item.reason.message.count("password") == 1


@pytest.mark.parametrize("claimed", [1, len(IMAGE) - 1, len(IMAGE) + 1, len(IMAGE) * 2])
def test_a_member_never_gives_more_than_its_entry_says(tmp_path, claimed):
    path = patch(pack(tmp_path / "x.zip", {"IM": IMAGE}), CENTRAL, 0, 24, "<I", claimed)
    assert len(read_head(path / "IM", 10**6)) <= claimed
    with pytest.raises(InputError, match="archive_unreadable"):
        open_binary(path / "IM")


def test_a_lie_with_the_right_checksum_is_cut_where_the_entry_says(tmp_path):
    path = pack(tmp_path / "x.zip", {"IM": IMAGE})
    patch(path, CENTRAL, 0, 24, "<I", 100)
    patch(path, CENTRAL, 0, 16, "<I", zlib.crc32(IMAGE[:100]))
    assert open_binary(path / "IM").read() == IMAGE[:100]


@pytest.mark.parametrize(("claimed", "code"), [(2**31 + 1, "archive_unsafe"), (2**29, "implausible_size")])
def test_sizes_that_no_compression_reaches_are_refused_unread(tmp_path, claimed, code):
    path = pack(tmp_path / "x.zip", {"IM": IMAGE, "good": IMAGE})
    patch(path, CENTRAL, 0, 24, "<I", claimed)
    assert [item.reason.code for item in find_files(path).skipped] == [code]


def test_members_larger_than_any_image_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_module, "_MOST_MEMBER_BYTES", 10_000)
    path = pack(tmp_path / "x.zip", {"big": IMAGE * 2, "good": IMAGE})
    assert find_files(path).dicom == [path / "good"]
    assert codes(path) == {"x.zip/big": "too_large"}


def test_room_is_asked_for_before_a_large_member_is_unpacked(tmp_path, monkeypatch):
    def refuse(needed: int, what: str) -> None:
        assert needed == len(content)
        raise InputError("too_large", what)

    content = IMAGE * 4000
    path = pack(tmp_path / "x.zip", {"IM": content})
    monkeypatch.setattr(archive_module, "require_memory", refuse)
    with pytest.raises(InputError, match="too_large"):
        open_binary(path / "IM")


def test_a_bomb_of_overlapping_members_is_refused_whole(tmp_path):
    path = pack(tmp_path / "x.zip", {f"IM{k}": IMAGE for k in range(3)})
    patch(path, CENTRAL, 1, 42, "<I", 0)
    assert codes(path) == {"x.zip": "archive_unsafe"}
    with pytest.raises(InputError, match="archive_unsafe"):
        open_binary(path / "IM0")


def test_a_bomb_that_quotes_the_headers_of_its_members_is_refused(tmp_path):
    """As Fifield builds them: each member's stored block spans the local header of the next."""
    path = pack(tmp_path / "x.zip", {"a": IMAGE, "b": IMAGE}, zipfile.ZIP_STORED)
    whole = path.read_bytes().index(CENTRAL) - 31
    patch(path, CENTRAL, 0, 20, "<I", whole)
    patch(path, CENTRAL, 0, 24, "<I", whole)
    assert codes(path) == {"x.zip": "archive_unsafe"}


def test_a_bomb_of_many_zeros_is_refused_whole(tmp_path):
    path = pack(tmp_path / "x.zip", {f"IM{k}": bytes(2**20) for k in range(2)})
    for number in range(2):
        patch(path, CENTRAL, number, 24, "<I", 2**30)
    assert codes(path) == {"x.zip": "archive_unsafe"}


def test_a_bomb_of_nested_archives_is_opened_one_level_deep(tmp_path):
    path = pack(tmp_path / "0.zip", {"IM": bytes(2**20)})
    for level in range(1, 5):
        content = path.read_bytes()
        path = pack(tmp_path / f"{level}.zip", {f"lib {k}.zip": content for k in range(16)})
    (item,) = find_files(path).skipped
    assert item.reason.code == "nested_archive"


@pytest.mark.parametrize("limit", ["_MOST_MEMBERS", "_MOST_DIRECTORY_BYTES"])
def test_too_many_members_are_refused(tmp_path, monkeypatch, limit):
    path = pack(tmp_path / "x.zip", {f"IM{k:02}": b"" for k in range(100)})
    monkeypatch.setattr(archive_module, limit, 99)
    assert codes(path) == {"x.zip": "archive_unsafe"}


def test_damage_is_named_where_it_is(tmp_path):
    path = pack(tmp_path / "x.zip", {"bad": IMAGE, "good": IMAGE, "gone": IMAGE})
    content = bytearray(path.read_bytes())
    start = content.index(b"bad") + 60
    content[start : start + 40] = os.urandom(40)
    path.write_bytes(content)
    patch(path, LOCAL, 2, 0, "<I", 0)
    with pytest.raises(InputError, match=r"bad: .*archive_unreadable"):
        open_binary(path / "bad")
    assert open_binary(path / "good").read() == IMAGE
    assert codes(path)["x.zip/gone"] == "archive_unreadable"
    assert path / "good" in find_files(path).dicom


@pytest.mark.parametrize("keep", [0.2, 0.9, 0.99])
def test_a_truncated_archive_is_one_thing_left_out(tmp_path, keep):
    path = pack(tmp_path / "in/x.zip", {f"IM{k}": IMAGE for k in range(9)})
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    (tmp_path / "in" / "IM").write_bytes(IMAGE)
    assert codes(path) == {"x.zip": "archive_unreadable"}
    assert find_files(tmp_path).dicom == [tmp_path / "in" / "IM"]


def test_an_archive_that_changes_is_read_again(tmp_path):
    path = pack(tmp_path / "x.zip", {"IM": IMAGE})
    assert open_archive(path) is open_archive(path)
    assert open_binary(path / "IM").read() == IMAGE
    pack(path, {"front": b"something", "IM": IMAGE[::-1]})
    assert open_binary(path / "IM").read() == IMAGE[::-1]
    path.unlink()
    with pytest.raises(FileNotFoundError):
        open_binary(path / "IM")


def test_the_directory_is_read_once_for_all_members(tmp_path, monkeypatch):
    path = pack(tmp_path / "x.zip", {f"IM{k}": IMAGE for k in range(20)})
    opened = []
    monkeypatch.setattr(archive_module, "ZipFile", lambda file: opened.append(file) or zipfile.ZipFile(file))
    found = find_files(path)
    assert [open_binary(member).read() for member in found.dicom] == [IMAGE] * 20
    assert len(opened) == 1


def test_members_are_read_by_many_threads(tmp_path):
    contents = {f"IM{k}": os.urandom(50_000) for k in range(20)}
    path = pack(tmp_path / "x.zip", contents)
    wrong = []

    def read_all() -> None:
        wrong.extend(name for name in contents if open_binary(path / name).read() != contents[name])

    threads = [threading.Thread(target=read_all) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_a_mutated_archive_ends_in_files_or_reasons(tmp_path_factory, data):
    path = pack(tmp_path_factory.mktemp("zip") / "x.zip", {"a/IM1": IMAGE, "b.nii": b"x" * 99, "c": b"", "d/": b""})
    content = bytearray(path.read_bytes())
    directory = content.index(CENTRAL)
    for _ in range(data.draw(st.integers(1, 4))):
        first = directory if data.draw(st.booleans()) else 0
        content[data.draw(st.integers(first, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content))) if data.draw(st.booleans()) else None])
    found = find_files(path)
    assert found.has_images or found.skipped
    for member in (*found.dicom, *found.volumes):
        assert member.is_relative_to(path)
        assert ".." not in member.parts
        with suppress(InputError):
            assert len(open_binary(member).read()) <= 10_000
