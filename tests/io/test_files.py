"""What is found below a path: kinds, fixed order, and a reason for everything that is left out."""

import os
import socket
import sys
from pathlib import Path

import pytest

from toh_mri.core.errors import InputError
from toh_mri.io.files import find as files_module
from toh_mri.io.files.find import find_files

DICOM = bytes(128) + b"DICM" + bytes(50)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
JPEG = b"\xff\xd8\xff\xe0" + bytes(20)

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="the file system has no such thing")


def write(root: Path, files: dict) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def reasons(root: Path) -> dict:
    return {item.path.relative_to(root).as_posix(): item.reason.code for item in find_files(root).skipped}


def test_every_kind_in_the_order_of_names(tmp_path):
    volumes = ["V.NII", "a.nii.gz", "b.nrrd", "c.nhdr", "d.mha", "e.mhd"]
    pictures = ["p.png", "q.JPG", "r.jpeg"]
    dicom = ["a/b/c/deep", "no extension", "other.txt", "z.dcm"]
    write(tmp_path, dict.fromkeys(volumes, b"x") | dict.fromkeys(dicom, DICOM))
    write(tmp_path, {"p.png": PNG, "q.JPG": JPEG, "r.jpeg": JPEG})
    found = find_files(tmp_path)
    assert found.volumes == [tmp_path / name for name in volumes]
    assert found.pictures == [tmp_path / name for name in pictures]
    assert found.dicom == [tmp_path / name for name in dicom]
    assert found.skipped == []


def test_what_is_no_image_is_left_out_with_a_reason(tmp_path):
    write(
        tmp_path,
        {
            "empty.dcm": b"",
            "text.dcm": b"Not DICOM at all. " * 50,
            "text.png": b"no picture",
            "picture.bin": PNG,
            ".hidden": DICOM,
            ".folder/IM": DICOM,
            "__MACOSX/._x": b"",
            "packed.tar.gz": b"\x1f\x8b\x08" + bytes(20),
            "packed.tar": bytes(257) + b"ustar" + bytes(250),
            "packed.7z": b"7z\xbc\xaf\x27\x1c" + bytes(20),
            "Truth/IM": DICOM,
            "x_mask.nii.gz": b"",
            "x_mask.png": PNG,
        },
    )
    assert reasons(tmp_path) == {
        "empty.dcm": "empty_file",
        "text.dcm": "not_an_image",
        "text.png": "not_an_image",
        "picture.bin": "not_an_image",
        ".hidden": "hidden",
        ".folder": "hidden",
        "__MACOSX": "hidden",
        "packed.tar.gz": "archive",
        "packed.tar": "archive",
        "packed.7z": "archive",
        "Truth": "label_folder",
        "x_mask.nii.gz": "label_image",
        "x_mask.png": "label_image",
    }


@pytest.mark.parametrize(
    ("sidecar", "belongs"),
    [
        ("sub-01/anat/sub-01_acq-x_T1w.json", True),
        ("sub-01/anat/sub-01_acq-x_T1w.bval", True),
        ("sub-01/sub-01_T1w.json", True),
        ("sub-01_T1w.json", True),
        ("T1w.json", True),
        ("t1w.json", True),
        ("scan.json", True),
        ("mask.raw", True),
        ("sub-02_T1w.json", False),
        ("sub-01_T2w.json", False),
        ("participants.json", False),
        ("sub-02/T1w.json", False),
        ("sub-01/anat/deeper/T1w.json", False),
    ],
)
def test_a_sidecar_belongs_to_images_of_its_folder_and_below(tmp_path, sidecar, belongs):
    write(tmp_path, {"sub-01/anat/sub-01_acq-x_T1w.nii.gz": b"x", "scan.png": PNG, "mask.mhd": b"x", sidecar: b"{}"})
    assert (sidecar not in reasons(tmp_path)) == belongs


def test_sidecars_of_no_image_are_told_without_looking_at_every_image(tmp_path, monkeypatch):
    compared = []

    class Parts(frozenset):
        def __le__(self, other):
            compared.append((self, other))
            return frozenset.__le__(self, other)

    monkeypatch.setattr(files_module, "_name_parts", lambda stem: Parts((stem or "").lower().split("_")))
    count = 40
    names = {f"sub-{number:02d}_acq-{number % 2}_T1w.nii": b"x" for number in range(count)}
    strays = [f"sub-{number:02d}_acq-{1 - number % 2}_T1w.json" for number in range(count)]
    strays += [f"sub-{number:02d}_bold.json" for number in range(count)]
    write(tmp_path, names | dict.fromkeys(strays, b"{}"))
    assert reasons(tmp_path) == dict.fromkeys(strays, "not_an_image")
    assert len(compared) <= len(names) + len(strays)


def test_a_dicom_file_may_be_called_like_a_sidecar(tmp_path):
    write(tmp_path, {"IM.raw": DICOM, "IM.json": DICOM})
    assert find_files(tmp_path).dicom == [tmp_path / "IM.json", tmp_path / "IM.raw"]


def test_what_was_asked_for_is_never_left_out_by_its_name(tmp_path):
    write(tmp_path, {"truth/x_mask.nii": b"x", ".hidden/IM": DICOM, "x_seg.png": PNG})
    assert find_files(tmp_path / "truth/x_mask.nii").volumes == [tmp_path / "truth/x_mask.nii"]
    assert find_files(tmp_path / "x_seg.png").pictures == [tmp_path / "x_seg.png"]
    assert find_files(tmp_path / ".hidden").dicom == [tmp_path / ".hidden/IM"]
    assert reasons(tmp_path / "truth") == {"x_mask.nii": "label_image"}


def test_nothing_there_is_an_error(tmp_path):
    with pytest.raises(InputError, match="path_missing"):
        find_files(tmp_path / "nowhere" / "at all")


@needs_posix
def test_links_are_followed_once_and_never_in_circles(tmp_path):
    write(tmp_path / "tree", {"a/IM": DICOM, "b/IM": DICOM})
    write(tmp_path / "elsewhere", {"IM": DICOM})
    (tmp_path / "tree/a/up").symlink_to(tmp_path / "tree")
    (tmp_path / "tree/b/self").symlink_to("self")
    (tmp_path / "tree/b/gone").symlink_to("nothing")
    (tmp_path / "tree/c").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "tree/d").symlink_to(tmp_path / "elsewhere")
    found = find_files(tmp_path / "tree")
    assert found.dicom == [tmp_path / "tree" / name / "IM" for name in "abc"]
    assert reasons(tmp_path / "tree") == {
        "a/up": "visited_before",
        "b/gone": "unreadable",
        "b/self": "unreadable",
        "d": "visited_before",
    }


@pytest.fixture(params=[1500, 3000])
def deep(request, tmp_path):
    """A chain of folders with a DICOM file in the last one, taken down again: not every tool can remove it."""
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(request.param):
        os.mkdir("d", dir_fd=here)
        here = step(here, "d")
    os.close(os.open("IM", os.O_CREAT, dir_fd=here))
    yield request.param
    os.unlink("IM", dir_fd=here)
    for _ in range(request.param):
        here = step(here, "..")
        os.rmdir("d", dir_fd=here)
    os.close(here)


def step(here: int, name: str) -> int:
    there = os.open(name, os.O_RDONLY, dir_fd=here)
    os.close(here)
    return there


@pytest.mark.skipif(sys.platform != "linux", reason="the longest path differs between systems")
def test_a_tree_deeper_than_the_recursion_limit(tmp_path, deep):
    """Beyond 4,096 bytes a path is longer than the system takes: a reason, not a crash."""
    (tmp_path / "z").write_bytes(DICOM)
    found = find_files(tmp_path)
    assert found.dicom == [tmp_path / "z"]
    (item,) = found.skipped
    assert item.reason.code == ("empty_file" if deep == 1500 else "unreadable")
    assert len(item.path.relative_to(tmp_path).parts) > 1400


@needs_posix
def test_pipes_and_sockets_are_never_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    server = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    try:
        os.chdir(tmp_path)  # the name of a socket must be short
        server.bind("socket")
    finally:
        os.chdir(here)
        server.close()
    assert reasons(tmp_path) == {"link": "unreadable", "pipe": "unreadable", "socket": "unreadable"}
    assert [item.reason.code for item in find_files(tmp_path / "pipe").skipped] == ["unreadable"]


@needs_posix
def test_names_that_are_no_text_survive(tmp_path):
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe"))
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("the file system refuses such names")
    write(folder, {"IM\udce9": DICOM, "x\udce9.nii": b"x", "text\udce9": b"x"})
    found = find_files(tmp_path)
    assert found.dicom[0].read_bytes() == DICOM
    assert found.volumes == [folder / "x\udce9.nii"]
    assert reasons(folder) == {"text\udce9": "not_an_image"}


def test_folders_and_files_that_may_not_be_read_are_named(tmp_path, monkeypatch):
    write(tmp_path, {"closed/IM": DICOM, "closed.dcm": DICOM, "IM": DICOM})
    scan, read = os.scandir, files_module.read_head

    def refuse(function):
        def guarded(path, *rest):
            if Path(path).name.startswith("closed"):
                raise PermissionError
            return function(path, *rest)

        return guarded

    monkeypatch.setattr(os, "scandir", refuse(scan))
    monkeypatch.setattr(files_module, "read_head", refuse(read))
    assert find_files(tmp_path).dicom == [tmp_path / "IM"]
    assert reasons(tmp_path) == {"closed": "unreadable", "closed.dcm": "unreadable"}


def test_the_order_does_not_depend_on_the_disk(tmp_path, monkeypatch):
    write(tmp_path, {f"{k % 7}/{k % 5}/IM{k}": DICOM for k in range(70)})
    expected = find_files(tmp_path).dicom
    scan = os.scandir

    class Backwards:
        def __init__(self, path):
            with scan(path) as listing:
                self.entries = list(listing)[::-1]

        def __enter__(self):
            return iter(self.entries)

        def __exit__(self, *error):
            return None

    monkeypatch.setattr(os, "scandir", Backwards)
    assert find_files(tmp_path).dicom == expected
    assert len(expected) == 70
