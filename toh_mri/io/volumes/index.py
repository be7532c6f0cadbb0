"""Volume files of one folder to the series of one study: geometry from headers, acquisition from sidecars."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from toh_mri.core.config.io import IoConfig
from toh_mri.core.errors import GeometryError, InputError
from toh_mri.core.study import Exclusion, SkippedFile
from toh_mri.io.files.names import ITK_SUFFIXES, stem_without, volume_stem
from toh_mri.io.roles.words import names_a_localizer
from toh_mri.io.series import Candidate, Loaded
from toh_mri.io.volumes.bids import Describing
from toh_mri.io.volumes.itk_image import read_itk_header, read_itk_volume
from toh_mri.io.volumes.nifti import read_nifti_header, read_nifti_volume
from toh_mri.io.volumes.sidecar import Sidecar, read_sidecar
from toh_mri.io.volumes.voxel_layout import VolumeHeader

_TIME_SERIES = "time_series"
_MOST_VOLUMES = 16  # echoes, Dixon parts, a short dynamic; more is a time series


class _File(NamedTuple):
    """A volume file, its header where that has a geometry, and what is wrong where it has none."""

    path: Path
    stem: str
    sidecar: Sidecar
    header: VolumeHeader | None
    broken: tuple[Exclusion, ...]


def folder_candidates(
    paths: Iterable[Path], config: IoConfig, describing: Describing | None = None
) -> tuple[list[Candidate], list[SkippedFile]]:
    """Describe the volume files of one folder; files that cannot be read at all are skipped.

    Every volume of a 4-D file is a candidate of its own, up to 16; a file with more is left out as one. `describing`
    finds the JSON files, see `read_sidecar`.
    """
    candidates: list[Candidate] = []
    skipped: list[SkippedFile] = []
    for path in paths:
        try:
            file = _describe(path, config, describing)
        except InputError as error:
            skipped.append(SkippedFile(path, Exclusion.of(error)))
            continue
        unfit = _unfit(file)
        count = 1 if file.header is None or unfit else file.header.volumes
        candidates.extend(_candidate(file, number, count, unfit, config) for number in range(count))
    return candidates, skipped


def _describe(path: Path, config: IoConfig, describing: Describing | None) -> _File:
    read_header = read_itk_header if _is_itk(path) else read_nifti_header
    header: VolumeHeader | None = None
    broken: tuple[Exclusion, ...] = ()
    try:
        header = read_header(path, config.maximum_shear_degree)
    except GeometryError as error:
        broken = (Exclusion.of(error),)
    return _File(path, volume_stem(path) or path.name, read_sidecar(path, describing), header, broken)


def _candidate(file: _File, number: int, count: int, unfit: tuple[Exclusion, ...], config: IoConfig) -> Candidate:
    grid = file.header.layout.grid if file.header else None
    unreadable = grid is None or any(reason.code == _TIME_SERIES for reason in unfit)
    notes = (f"Volume {number + 1} of {count} of a 4-D file.",) if count > 1 else ()
    return Candidate(
        acquisition=file.sidecar.acquisition,
        description=file.stem,
        words=f"{file.stem} {file.sidecar.words}".strip(),
        paths=(file.path,),
        order=(file.path.name, number),
        normal=None if grid is None else grid.directions[:, 0],
        grid=grid,
        load=None if unreadable else _loader(file.path, number, config),
        unfit=unfit,
        broken=file.broken,
        notes=(*notes, *file.sidecar.problems),
    )


def _loader(path: Path, number: int, config: IoConfig) -> Callable[[], Loaded]:
    if _is_itk(path):  # one volume, always
        return partial(read_itk_volume, path, config.maximum_shear_degree)
    return partial(read_nifti_volume, path, config.maximum_shear_degree, number)


def _is_itk(path: Path) -> bool:
    return stem_without(path, ITK_SUFFIXES) is not None


def _unfit(file: _File) -> tuple[Exclusion, ...]:
    acquisition = file.sidecar.acquisition
    if acquisition.modality not in {None, "MR"}:
        return (Exclusion(code="not_mr", message=f"Its modality is {acquisition.modality}, not MR."),)
    if "LOCALIZER" in acquisition.image_type or names_a_localizer(f"{file.stem} {file.sidecar.words}"):
        return (Exclusion(code="localizer", message="It is a localizer or calibration scan by its name."),)
    if "EP" in acquisition.scanning_sequence:
        return (Exclusion(code="echo_planar", message="It is echo-planar: too distorted to measure bone on."),)
    if file.header is not None and file.header.volumes > _MOST_VOLUMES:
        return (
            Exclusion(
                code=_TIME_SERIES,
                message=f"It holds {file.header.volumes} volumes: a time series or directions, no anatomical series "
                f"(at most {_MOST_VOLUMES} are read, each for itself).",
            ),
        )
    return ()
