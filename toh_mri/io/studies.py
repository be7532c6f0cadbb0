"""Find studies below a path, index one, read one: the way into the program."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from toh_mri.core.config import Config
from toh_mri.core.config.io import IoConfig
from toh_mri.core.errors import InputError, TohMriError
from toh_mri.core.study import (
    Exclusion,
    Series,
    SeriesInfo,
    SkippedFile,
    Study,
    StudyIdentity,
    StudyIndex,
)
from toh_mri.io.dicom_index import DicomStudy, scan_dicom, study_candidates
from toh_mri.io.files import find_files
from toh_mri.io.identifiers import pseudonyms
from toh_mri.io.nifti import nifti_stem
from toh_mri.io.nifti_index import folder_candidates
from toh_mri.io.series import IndexedSeries, index_series

_NAMED = 5


def find_studies(root: str | Path, config: IoConfig) -> tuple[StudyIndex, ...]:
    """Find every study below a folder, or in a single file. Reads headers only.

    DICOM files are grouped by study UID wherever they lie; every folder that directly holds NIfTI files is
    one study. What is no image, or is a label image by its name (see `files`), is listed with the reason in
    `skipped` of the nearest study.

    Returns
    -------
    tuple of StudyIndex
        Sorted by their path relative to `root`; empty where there is none.

    Raises
    ------
    InputError
        ``path_missing``.
    """
    root = Path(root)
    return _find(root, root, config)[0]


def index_study(path: str | Path, config: IoConfig) -> StudyIndex:
    """Index the one study at a path.

    Raises
    ------
    InputError
        ``path_missing``, ``no_study`` or ``several_studies``.
    """
    path = Path(path)
    # Named from the folder above, so that a study has one name whether it is found here or from there.
    studies, skipped = _find(path, Path(path).absolute().parent, config)
    if not studies:
        reasons = sorted({item.reason.message for item in skipped})[:_NAMED]
        raise InputError(
            "no_study",
            f"{path}: no study was found. " + " ".join(reasons or ["It holds no files."]),
            "Give a folder with DICOM or NIfTI files, or one such file.",
        )
    if len(studies) > 1:
        raise InputError(
            "several_studies",
            f"{path}: {len(studies)} studies were found, not one.",
            "'toh-mri plan' lists them; 'toh-mri batch' analyses all of them.",
        )
    return studies[0]


def read_study(index: StudyIndex, config: IoConfig) -> Study:
    """Read the pixels of every usable series of a study.

    A series whose pixels cannot be read joins the excluded ones, with the reason; the rest goes on.
    """
    series: list[Series] = []
    excluded: list[SeriesInfo] = []
    warnings = list(index.warnings)
    for source in index.sources:
        if source.info.excluded is not None or not isinstance(source, IndexedSeries) or source.load is None:
            excluded.append(source.info)
            continue
        try:
            loaded = source.load()
        except TohMriError as error:
            reason = Exclusion(code=error.code, message=error.message)
            excluded.append(source.info.model_copy(update={"excluded": reason}))
            warnings.append(f"{source.info.name}: left out. {error.message}")
            continue
        series.append(Series(source.info.model_copy(update={"rescale": loaded.rescale}), loaded.image))
        warnings.extend(f"{source.info.name}: {note}" for note in (*source.notes, *loaded.notes))
    names = pseudonyms(index.identity, config)
    return Study(
        study_id=names.study_id,
        patient_id=names.patient_id,
        study_date=names.study_date,
        series=tuple(series),
        excluded=tuple(excluded),
        index=index,
        content_hash=_content_hash(series),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def load_study(path: str | Path, config: Config | None = None) -> Study:
    """Index and read the one study at a path.

    Raises
    ------
    InputError
        As `index_study`.
    """
    settings = (config or Config()).io
    return read_study(index_study(path, settings), settings)


def _find(root: Path, base: Path, config: IoConfig) -> tuple[tuple[StudyIndex, ...], list[SkippedFile]]:
    if not root.exists():
        raise InputError("path_missing", f"{root}: there is no such file or folder.")
    found = find_files(root)
    dicom, skipped = scan_dicom(found.dicom)
    skipped = [*found.skipped, *skipped]
    studies = [_dicom_study(study, base, config) for study in dicom]
    folders: dict[Path, list[Path]] = {}
    for path in found.nifti:
        folders.setdefault(path.parent, []).append(path)
    for folder, paths in folders.items():
        candidates, unreadable = folder_candidates(paths, config)
        skipped.extend(unreadable)
        if candidates or unreadable:  # a folder of broken images is a study that fails, not nothing
            here = root.with_name(nifti_stem(root) or root.name) if root.is_file() else folder
            identity = StudyIdentity(None, None, None, _relative(here, base))
            studies.append(StudyIndex(folder, identity, index_series(candidates, config), (), ()))
    studies.sort(key=lambda study: (study.identity.relative_path, study.identity.study or ""))
    return tuple(_with_skipped(studies, skipped)), skipped


def _dicom_study(study: DicomStudy, base: Path, config: IoConfig) -> StudyIndex:
    first = study.headers[0]
    folder = Path(os.path.commonpath([path.parent for path in study.paths]))
    identity = StudyIdentity(first.patient, first.study, first.date, _relative(folder, base))
    return StudyIndex(folder, identity, index_series(study_candidates(study, config), config), (), ())


def _relative(path: Path, base: Path) -> str:
    """Return the path from `base` to `path`, with forward slashes; its own name where they are one."""
    relative = os.path.relpath(path, base)
    return path.resolve().name or "root" if relative == "." else Path(relative).as_posix()


def _with_skipped(studies: Sequence[StudyIndex], skipped: Sequence[SkippedFile]) -> list[StudyIndex]:
    """Hand every skipped file to the study whose folder is nearest."""
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
        StudyIndex(
            study.path,
            study.identity,
            study.sources,
            tuple(sorted(share, key=lambda s: s.path)),
            study.warnings,
        )
        for study, share in zip(studies, shares, strict=True)
    ]


def _content_hash(series: Sequence[Series]) -> str:
    digest = hashlib.sha256()
    for item in series:
        digest.update(repr(item.image.grid.shape).encode())
        digest.update(item.image.grid.affine.tobytes())
        digest.update(item.image.array.tobytes())
    return digest.hexdigest()
