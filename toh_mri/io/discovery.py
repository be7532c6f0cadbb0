"""Which studies lie below a path: files to series, series to studies, each study named by where it lies."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from toh_mri.core.config.io import IoConfig
from toh_mri.core.errors import InputError
from toh_mri.core.study import Exclusion, SeriesSource, SkippedFile, StudyIdentity, StudyIndex
from toh_mri.io.choice import Choice
from toh_mri.io.dicom.directory import read_dicomdir
from toh_mri.io.dicom.index import DicomStudy, scan_dicom, study_candidates
from toh_mri.io.files.find import FoundFiles, find_files
from toh_mri.io.files.names import picture_stem, volume_stem
from toh_mri.io.pictures.picture import picture_candidate
from toh_mri.io.series import index_series
from toh_mri.io.volumes.bids import BidsName, Describing, bids_names, subject_in_name
from toh_mri.io.volumes.index import folder_candidates


class Discovery(NamedTuple):
    """Studies, sorted by where they lie, and the files that were left out before there was a study."""

    studies: tuple[StudyIndex, ...]
    skipped: list[SkippedFile]


class _Place(NamedTuple):
    """How studies are named and roles given: what every step below needs."""

    base: Path
    config: IoConfig
    choice: Choice


def discover(root: Path, base: Path, config: IoConfig, choice: Choice) -> Discovery:
    """Find the studies below `root`, named by their path relative to `base`. Reads headers only.

    Raises
    ------
    InputError
        ``path_missing``, ``choice_ambiguous``.
    """
    found = find_files(root)
    place = _Place(base, config, choice)
    skipped = list(found.skipped)
    paths, incomplete = _listed(root, found, skipped)
    dicom, unread = scan_dicom(paths)
    skipped += unread
    studies = [_dicom_study(study, place) for study in dicom]
    for study in list(_volume_studies(root, found.volumes, place)):
        if _is_litter(study, studies):
            skipped += _as_skipped(study)
        else:
            studies.append(study)
    studies += _picture_studies(found.pictures, place, skipped)
    studies = [_warned(study, incomplete) for study in studies]
    studies.sort(key=lambda study: (study.identity.relative_path, study.identity.study or ""))
    return Discovery(tuple(_with_skipped(studies, skipped)), skipped)


def _listed(root: Path, found: FoundFiles, skipped: list[SkippedFile]) -> tuple[Sequence[Path], dict[Path, int]]:
    """Return the DICOM files to read, and how many files each DICOMDIR lists that are not there.

    A folder's files are found without its DICOMDIR; where the DICOMDIR itself was asked for, its list counts.
    """
    paths: Sequence[Path] = found.dicom
    incomplete: dict[Path, int] = {}
    for path in found.dicomdirs:
        try:
            listing = read_dicomdir(path)
        except InputError as error:
            skipped.append(SkippedFile(path, Exclusion.of(error)))
            continue
        if path == root:
            paths = listing.found
        lost = len(listing.missing) + listing.refused
        if lost:
            incomplete[path.parent] = lost
            message = f"It lists {lost} files that are not here: the export is incomplete."
            skipped.append(SkippedFile(path, Exclusion(code="incomplete_export", message=message)))
        elif path != root:
            message = "It is a DICOMDIR; the files it lists are found without it."
            skipped.append(SkippedFile(path, Exclusion(code="directory", message=message)))
    return paths, incomplete


def _warned(study: StudyIndex, incomplete: dict[Path, int]) -> StudyIndex:
    """Add a warning to a study that lies where a DICOMDIR lists files that are not there."""
    warnings = tuple(
        f"The export is incomplete: its DICOMDIR lists {count} files that are not there. They may be of this study."
        for folder, count in incomplete.items()
        if folder == study.path or folder in study.path.parents
    )
    return replace(study, warnings=(*study.warnings, *warnings)) if warnings else study


def _dicom_study(study: DicomStudy, place: _Place) -> StudyIndex:
    first = study.headers[0]
    folder = Path(os.path.commonpath([path.parent for path in study.paths]))
    relative = _relative(folder, place.base)
    # Folders of DICOM files are often named after the patient, so a study without a UID is known by a hash as well.
    identity = StudyIdentity(first.patient, first.study or f"folder {relative}", first.date, relative)
    sources = index_series(study_candidates(study, place.config), place.config, place.choice)
    return StudyIndex(folder, identity, sources, (), ())


def _volume_studies(root: Path, volumes: Iterable[Path], place: _Place) -> Iterator[StudyIndex]:
    folders: dict[Path, list[Path]] = {}
    for path in volumes:
        folders.setdefault(path.parent, []).append(path)
    describing = Describing()
    stem = volume_stem(root)
    for folder, paths in folders.items():
        here = folder if stem is None or root not in paths else root.with_name(stem)
        for subject, group in _subjects(folder, paths).items():
            candidates, unreadable = folder_candidates(group, place.config, describing)
            sources = index_series(candidates, place.config, place.choice)
            identity = _volume_identity(folder, here, subject, place.base)
            # A folder of broken images is a study that fails, not nothing.
            yield StudyIndex(folder, identity, sources, tuple(unreadable), _doubts(group, sources))


def _is_litter(study: StudyIndex, others: Sequence[StudyIndex]) -> bool:
    """Tell whether volumes that are of no use lie among the files of another study: they are none of their own."""
    places = {study.path, *study.path.parents}
    useful = any(source.info.excluded is None for source in study.sources)
    return not useful and any(other.path in places and other.identity.study is not None for other in others)


def _as_skipped(study: StudyIndex) -> list[SkippedFile]:
    excluded = [(path, source.info.excluded) for source in study.sources for path in source.paths]
    return [*study.skipped, *(SkippedFile(path, reason) for path, reason in excluded if reason is not None)]


def _subjects(folder: Path, paths: Sequence[Path]) -> dict[BidsName | None, list[Path]]:
    """Divide the volumes of one folder by the subject and session in their names, where these name several.

    In a BIDS tree the folders say it.
    """
    groups: dict[BidsName | None, list[Path]] = {}
    for path in paths:
        groups.setdefault(subject_in_name(path), []).append(path)
    if len(groups.keys() - {None}) <= 1 or bids_names(folder) is not None:
        return {None: list(paths)}
    return groups


def _volume_identity(folder: Path, here: Path, subject: BidsName | None, base: Path) -> StudyIdentity:
    """Name a study by its path; where names of BIDS tell them, by subject and session, and the patient by subject."""
    names = bids_names(folder)
    if subject is not None:
        above = _relative(folder, base)
        return StudyIdentity(None, None, None, f"{above}/{subject.study}", f"{above}/{subject.subject}")
    if names is None:
        return StudyIdentity(None, None, None, _relative(here, base))
    study = _relative(folder.parent, base)
    if not f"/{study}".endswith(f"/{names.study}"):  # the base lies inside the tree
        study = names.study
    patient = study if names.session is None else study.rpartition("/")[0]
    return StudyIdentity(None, None, None, study, patient)


def _doubts(paths: Iterable[Path], sources: Iterable[SeriesSource]) -> tuple[str, ...]:
    """Warn of files of one kind that nothing shows to be of one patient."""
    if all(subject_in_name(path) for path in paths):
        return ()
    files: dict[tuple[str, str], set[Path]] = {}
    for source in sources:
        role = source.info.role
        if role is not None and source.info.excluded is None:
            files.setdefault((role.plane.value, role.contrast.value), set()).update(source.paths)
    return tuple(
        f"Its folder holds several {plane} {contrast} series ({len(found)} files): if they are of several patients, "
        "give each patient a folder."
        for (plane, contrast), found in sorted(files.items())
        if len(found) > 1
    )


def _picture_studies(pictures: Iterable[Path], place: _Place, skipped: list[SkippedFile]) -> Iterator[StudyIndex]:
    """Make every picture a study: nothing tells where two of them lie to each other."""
    for path in pictures:
        try:
            candidate = picture_candidate(path, place.config)
        except InputError as error:
            skipped.append(SkippedFile(path, Exclusion.of(error)))
            continue
        name = _relative(path.with_name(picture_stem(path) or path.name), place.base)
        sources = index_series([candidate], place.config, place.choice)
        yield StudyIndex(path.parent, StudyIdentity(None, None, None, name), sources, (), ())


def _relative(path: Path, base: Path) -> str:
    """Return the path from `base` to `path`, with forward slashes; its own name where they are one."""
    relative = os.path.relpath(path, base)
    return path.resolve().name or "root" if relative == "." else Path(relative).as_posix()


def _with_skipped(studies: Sequence[StudyIndex], skipped: Sequence[SkippedFile]) -> list[StudyIndex]:
    """Hand every skipped file to the study whose folder is nearest, beside those that the study has already."""
    nearest: dict[Path, int] = {}
    for number, study in enumerate(studies):
        for folder in (study.path, *study.path.parents):
            nearest.setdefault(folder, number)
    shares: list[list[SkippedFile]] = [[] for _ in studies]
    for item in skipped:
        number = next((nearest[folder] for folder in (item.path, *item.path.parents) if folder in nearest), 0)
        if shares:
            shares[number].append(item)
    return [
        replace(study, skipped=tuple(sorted((*study.skipped, *share), key=lambda s: s.path)))
        for study, share in zip(studies, shares, strict=True)
    ]
