"""NIfTI files of one folder to the series of one study; geometry from headers, acquisition from sidecars."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np

from toh_mri.core.config.io import IoConfig
from toh_mri.core.errors import GeometryError, InputError
from toh_mri.core.study import Exclusion, SkippedFile
from toh_mri.geometry import Image
from toh_mri.io.nifti import nifti_stem, read_nifti_layout, read_nifti_with_notes
from toh_mri.io.nifti_geometry import NiftiLayout
from toh_mri.io.role_words import names_a_localizer
from toh_mri.io.series import Candidate, Loaded
from toh_mri.io.sidecar import Sidecar, read_sidecar


def folder_candidates(paths: Iterable[Path], config: IoConfig) -> tuple[list[Candidate], list[SkippedFile]]:
    """Describe the NIfTI files of one folder; files that cannot be read at all are skipped."""
    candidates, skipped = [], []
    for path in paths:
        try:
            candidates.append(_candidate(path, config))
        except InputError as error:
            skipped.append(SkippedFile(path, Exclusion(code=error.code, message=error.message)))
    return candidates, skipped


def _candidate(path: Path, config: IoConfig) -> Candidate:
    stem = nifti_stem(path) or path.name
    sidecar = read_sidecar(path.with_name(f"{stem}.json"))
    layout: NiftiLayout | None = None
    broken: tuple[Exclusion, ...] = ()
    try:
        layout = read_nifti_layout(path, config.maximum_shear_degree)
    except GeometryError as error:
        broken = (Exclusion(code=error.code, message=error.message),)
    grid = layout.grid if layout else None
    return Candidate(
        acquisition=sidecar.acquisition,
        description=stem,
        words=f"{stem} {sidecar.words}".strip(),
        paths=(path,),
        order=(path.name,),
        normal=None if grid is None else grid.directions[:, 0],
        grid=grid,
        load=partial(_load, path, config.maximum_shear_degree),
        unfit=_unfit(stem, sidecar),
        broken=broken,
        notes=(sidecar.problem,) if sidecar.problem else (),
    )


def _unfit(stem: str, sidecar: Sidecar) -> tuple[Exclusion, ...]:
    acquisition = sidecar.acquisition
    if acquisition.modality not in {None, "MR"}:
        return (Exclusion(code="not_mr", message=f"Its modality is {acquisition.modality}, not MR."),)
    if "LOCALIZER" in acquisition.image_type or names_a_localizer(f"{stem} {sidecar.words}"):
        return (Exclusion(code="localizer", message="It is a localizer or calibration scan by its name."),)
    if "EP" in acquisition.scanning_sequence:
        return (Exclusion(code="echo_planar", message="It is echo-planar: too distorted to measure bone on."),)
    return ()


def _load(path: Path, maximum_shear_degree: float) -> Loaded:
    image, notes = read_nifti_with_notes(path, maximum_shear_degree)
    return Loaded(Image(image.array.astype(np.float32), image.grid), notes)
