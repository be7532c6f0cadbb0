"""What lies below a path: DICOM, volumes, pictures, and everything else with the reason why it is left out.

Zip archives are walked as the folders they are; see `archive` for what is left out of them.

Left out by name, because headers cannot tell a mask from an image:

* folders named ``truth``, ``derivatives``, ``labels``, ``masks``, ``segmentations``, ``annotations`` or
  ``rois``, and the ``hip-left`` and ``hip-right`` folders of this program's own outputs, with all they hold;
* volumes and pictures with one of `LABEL_WORDS` in their name (words are divided by ``_``, ``-``, ``.`` or blanks).

The path that was asked for is never left out itself.

A sidecar (JSON, diffusion table, raw samples of a MetaImage) belongs to a volume or picture in its folder or below
whose name holds every part of the sidecar's, parts being divided by ``_``: ``x.json`` to ``x.nii.gz``, ``T1w.json`` to
``sub-01_T1w.nii.gz`` (BIDS 1.9, the inheritance principle). Only sidecars that belong to none are reported.
"""

from __future__ import annotations

import os
import re
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from toh_mri.core.errors import InputError
from toh_mri.core.study import Exclusion, SkippedFile
from toh_mri.io.files.archive import Archive, open_archive
from toh_mri.io.files.names import picture_stem, stem_without, volume_stem
from toh_mri.io.files.opening import archive_place, read_head
from toh_mri.io.files.recognition import HEAD_BYTES, FileKind, recognise

LABEL_FOLDERS = frozenset(
    {
        "truth",
        "derivatives",
        "labels",
        "masks",
        "segmentations",
        "annotations",
        "rois",
        "hip-left",
        "hip-right",
    }
)
LABEL_WORDS = frozenset(
    {
        "label", "labels", "labelmap", "mask", "masks", "seg", "segs", "dseg", "probseg", "segmentation",
        "roi", "rois", "truth", "groundtruth", "gt", "annotation", "anatomy", "edema", "oedema", "necrosis",
        "effusion", "cyst", "cysts", "band", "line",
    }
)  # fmt: skip
SIDECAR_SUFFIXES = (".json", ".bval", ".bvec", ".raw", ".raw.gz", ".zraw")

_HIDDEN = Exclusion(code="hidden", message="Its name starts with a dot.")
_MACOS = Exclusion(code="hidden", message="It holds file attributes of macOS, no files.")
_LABELS = Exclusion(code="label_folder", message="By its name the folder holds labels, not images.")
_DULL = frozenset({"hidden", "label_folder", "label_image", "not_an_image", "empty_file"})


@dataclass
class FoundFiles:
    """Files below a path by kind, in a fixed order."""

    dicom: list[Path] = field(default_factory=list)
    dicomdirs: list[Path] = field(default_factory=list)
    volumes: list[Path] = field(default_factory=list)
    pictures: list[Path] = field(default_factory=list)
    skipped: list[SkippedFile] = field(default_factory=list)

    def skip(self, path: Path, code: str, message: str) -> None:
        """Leave a file or folder out."""
        self.leave_out(path, Exclusion(code=code, message=message))

    def leave_out(self, path: Path, reason: Exclusion) -> None:
        """Leave a file or folder out."""
        self.skipped.append(SkippedFile(path, reason))

    @property
    def has_images(self) -> bool:
        """Whether there is anything to read."""
        return bool(self.dicom or self.dicomdirs or self.volumes or self.pictures)

    def extend(self, other: FoundFiles) -> None:
        """Append what was found elsewhere."""
        self.dicom += other.dicom
        self.dicomdirs += other.dicomdirs
        self.volumes += other.volumes
        self.pictures += other.pictures
        self.skipped += other.skipped


@dataclass(frozen=True)
class _Search:
    """One search: where it began, what it found, and the sidecars and images it met (label images among them)."""

    root: Path
    found: FoundFiles
    in_archive: bool
    sidecars: list[Path] = field(default_factory=list)
    images: list[Path] = field(default_factory=list)


def find_files(root: Path) -> FoundFiles:
    """Walk a folder or an archive, or look at one file; nothing but the first bytes of a file is read.

    Parameters
    ----------
    root : Path
        A folder, a file, a zip archive, or a folder or member inside an archive (``study.zip/series``).

    Raises
    ------
    InputError
        ``path_missing``; ``archive_unreadable`` or ``archive_unsafe`` for a path inside such an archive.
    """
    found = FoundFiles()
    try:
        mode = root.stat().st_mode
    except OSError as error:
        _find_in_archive(root, found, error)
        return found
    if stat.S_ISDIR(mode):
        _sort_in(_walk(root, found), _Search(root, found, in_archive=False))
    elif stat.S_ISREG(mode):
        _sort_in([root], _Search(root, found, in_archive=False))
    else:
        found.skip(root, "unreadable", "It is neither a file nor a folder.")
    return found


def _find_in_archive(root: Path, found: FoundFiles, error: OSError) -> None:
    place = archive_place(root)
    if place is not None:
        members = _members(place.path, place.archive, place.name, found)
        _sort_in(members, _Search(root, found, in_archive=True))
    elif isinstance(error, PermissionError):
        found.skip(root, "unreadable", "It may not be opened.")
    if not found.has_images and not found.skipped:
        raise InputError("path_missing", f"{root}: there is no such file or folder.") from None


def _walk(root: Path, found: FoundFiles) -> Iterator[Path]:
    """Yield files in the order of their names, folders once each however they are linked."""
    seen: set[tuple[int, int]] = set()
    open_folders = [_entries(root, found, seen)]
    while open_folders:
        entry = next(open_folders[-1], None)
        if entry is None:
            open_folders.pop()
            continue
        path = Path(entry.path)
        is_folder, is_file = _folder_or_file(entry)
        reason = _reason_by_name(entry.name, is_folder=is_folder)
        if reason is not None:
            found.leave_out(path, reason)
        elif is_folder:
            open_folders.append(_entries(path, found, seen))
        elif is_file:
            yield path
        else:
            found.skip(path, "unreadable", "It is neither a file nor a folder, or a link that leads nowhere.")


def _entries(folder: Path, found: FoundFiles, seen: set[tuple[int, int]]) -> Iterator[os.DirEntry[str]]:
    try:
        status = folder.stat()
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        found.skip(folder, "unreadable", f"The folder cannot be read ({type(error).__name__}).")
        return iter(())
    if (status.st_dev, status.st_ino) in seen:
        found.skip(folder, "visited_before", "The folder was reached before by another link.")
        return iter(())
    seen.add((status.st_dev, status.st_ino))
    return iter(entries)


def _folder_or_file(entry: os.DirEntry[str]) -> tuple[bool, bool]:
    try:
        return entry.is_dir(), entry.is_file()
    except OSError:  # a link to itself
        return False, False


def _members(path: Path, archive: Archive, below: str, found: FoundFiles) -> Iterator[Path]:
    """Yield the virtual paths of an archive's members in or below one of its folders, as `_walk` does for folders."""
    first = below.count("/") + 1 if below else 0
    reported = set()
    everything = chain(archive.left_out, ((name, None) for name in archive.members))
    for name, reason in everything:
        if below and name != below and not name.startswith(f"{below}/"):
            continue
        parts = name.split("/")
        for number in range(first, len(parts)):
            by_name = _reason_by_name(parts[number], is_folder=number < len(parts) - 1)
            if by_name is not None:
                left_out = path.joinpath(*parts[: number + 1])
                if left_out not in reported:
                    found.leave_out(left_out, by_name)
                    reported.add(left_out)
                break
        else:
            if reason is None:
                yield path / name
            else:
                found.leave_out(path / name, reason)


def _reason_by_name(name: str, *, is_folder: bool) -> Exclusion | None:
    if name.startswith("."):
        return _HIDDEN
    if is_folder and name == "__MACOSX":
        return _MACOS
    if is_folder and name.lower() in LABEL_FOLDERS:
        return _LABELS
    return None


def _sort_in(paths: Iterable[Path], search: _Search) -> None:
    for path in paths:
        stem = volume_stem(path)
        if stem is None:
            _sort_in_by_content(path, search)
        else:
            _sort_in_image(path, stem, search.found.volumes, search)
    for path in _strays(search.sidecars, search.images):
        search.found.skip(path, "not_an_image", "It is a sidecar file that belongs to no image.")


def _sort_in_image(path: Path, stem: str, kind: list[Path], search: _Search) -> None:
    search.images.append(path)
    word = None if path == search.root else _label_word(stem)
    if word is None:
        kind.append(path)
    else:
        search.found.skip(path, "label_image", f"By the word '{word}' in its name it holds labels, not images.")


def _sort_in_by_content(path: Path, search: _Search) -> None:
    found = search.found
    try:
        head = read_head(path, HEAD_BYTES)
    except (OSError, InputError) as error:
        found.leave_out(path, _unreadable(error))
        return
    kind, stem = recognise(head), picture_stem(path)
    if kind is FileKind.DICOM:
        found.dicom.append(path)
    elif kind is FileKind.DICOMDIR:
        found.dicomdirs.append(path)
    elif kind is FileKind.PICTURE and stem is not None:
        _sort_in_image(path, stem, found.pictures, search)
    elif kind is FileKind.ZIP:
        _sort_in_archive(path, search)
    elif stem_without(path, SIDECAR_SUFFIXES) is not None:
        search.sidecars.append(path)
    else:
        found.leave_out(path, _reason_by_content(kind, head))


def _unreadable(error: OSError | InputError) -> Exclusion:
    if isinstance(error, InputError):
        return Exclusion.of(error)
    return Exclusion(code="unreadable", message=f"The file cannot be read ({type(error).__name__}).")


def _reason_by_content(kind: FileKind, head: bytes) -> Exclusion:
    if not head:
        return Exclusion(code="empty_file", message="The file is empty.")
    if kind is FileKind.PACKED:
        return Exclusion(code="archive", message="It is packed, and not as a zip archive: unpack it first.")
    return Exclusion(code="not_an_image", message="It is neither DICOM nor a volume or picture of a known format.")


def _sort_in_archive(path: Path, search: _Search) -> None:
    """Walk an archive; one that holds no image is one thing that is left out, not hundreds."""
    if search.in_archive:
        search.found.skip(path, "nested_archive", "It is an archive inside an archive: unpack the outer one first.")
        return
    if path != search.root and path.stem.lower() in LABEL_FOLDERS:
        search.found.leave_out(path, _LABELS)
        return
    try:
        archive = open_archive(path)
    except (OSError, InputError) as error:
        search.found.leave_out(path, _unreadable(error))
        return
    inside = FoundFiles()
    if not archive.is_document:
        _sort_in(_members(path, archive, "", inside), _Search(search.root, inside, in_archive=True))
    if inside.has_images:
        search.found.extend(inside)
    else:
        search.found.leave_out(path, _reason_against(inside.skipped))


def _reason_against(members: Iterable[SkippedFile]) -> Exclusion:
    """Say in one item why an archive gives no image."""
    telling = dict.fromkeys(item.reason for item in members if item.reason.code not in _DULL)
    if not telling:
        return Exclusion(code="not_an_image", message="It is an archive that holds no image.")
    messages = " ".join(reason.message for reason in telling)
    return Exclusion(
        code=next(iter(telling)).code,
        message=f"No image can be read from this archive. Why members are left out: {messages}",
    )


def _strays(sidecars: Sequence[Path], images: Iterable[Path]) -> Iterator[Path]:
    below: dict[Path, _Names] = {path.parent: _Names() for path in sidecars}
    for image in images:
        parts = _name_parts(volume_stem(image) or picture_stem(image))
        for folder in image.parents:
            if folder in below:
                below[folder].add(parts)
    for path in sidecars:
        if not below[path.parent].has_all(_name_parts(stem_without(path, SIDECAR_SUFFIXES))):
            yield path


class _Names:
    """Names of images by their parts: only names with a sidecar's rarest part are compared with it."""

    def __init__(self) -> None:
        self._by_part: dict[str, set[frozenset[str]]] = defaultdict(set)

    def add(self, name: frozenset[str]) -> None:
        for part in name:
            self._by_part[part].add(name)

    def has_all(self, parts: frozenset[str]) -> bool:
        """Tell whether a name has all of these parts."""
        names = min((self._by_part.get(part, set()) for part in parts), key=len)
        return parts in names or any(parts <= name for name in names)


def _name_parts(stem: str | None) -> frozenset[str]:
    return frozenset((stem or "").lower().split("_"))


def _label_word(stem: str) -> str | None:
    words = re.split(r"[_\-. ]+", stem.lower())
    return next((word for word in words if word in LABEL_WORDS), None)
