"""The files of one hip: label images on the reference series' whole grid, and its findings."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from toh_mri.core.hip import HipImages, HipResult, Structure
from toh_mri.core.record import HipRecord
from toh_mri.export.files import write_json
from toh_mri.geometry import Grid, Image, Side
from toh_mri.io.volumes.nifti import write_nifti

ANATOMY_FILE = "anatomy.nii.gz"
FINDINGS_FILE = "findings.json"
PREVIEW_FILE = "preview.svg"


def hip_folder(side: Side) -> str:
    """Name of the folder of one hip."""
    return f"hip-{side}"


def mask_file(structure: Structure) -> str:
    """Name of the 0/1 image of one structure."""
    return f"{structure}.nii.gz"


def hip_file_names() -> frozenset[str]:
    """Every file that may be written for a hip, relative to the study's folder."""
    names = (ANATOMY_FILE, FINDINGS_FILE, PREVIEW_FILE, *(mask_file(structure) for structure in Structure))
    return frozenset(f"{hip_folder(side)}/{name}" for side in Side for name in names)


def on_full_grid(crop: Image, images: HipImages) -> Image:
    """Put a mask or label image of the crop back on the reference series' whole grid, zero elsewhere.

    Parameters
    ----------
    crop : Image of bool or uint8
        On the cropped reference grid of `images`.
    images : HipImages
        Knows the whole grid's shape and where the crop starts in it.

    Returns
    -------
    Image of uint8
    """
    start = np.array(images.crop_start)
    affine = crop.grid.affine.copy()
    affine[:3, 3] = crop.grid.to_world(-start)
    full = np.zeros(images.full_grid_shape, dtype=np.uint8)
    box = tuple(slice(a, a + n) for a, n in zip(start, crop.grid.shape, strict=True))
    full[box] = crop.array
    return Image(full, Grid(images.full_grid_shape, affine))


def write_hip(folder: Path, result: HipResult, record: HipRecord) -> None:
    """Write one hip's label images and ``findings.json`` into an existing folder.

    A structure that was not looked for has no file; one looked for and not found has an empty image.
    """
    if result.anatomy is not None:
        write_nifti(folder / ANATOMY_FILE, on_full_grid(result.anatomy.labels, result.images))
    if result.findings is None:
        return
    for structure, mask in result.findings.masks.items():
        write_nifti(folder / mask_file(structure), on_full_grid(mask, result.images))
    write_json(
        folder / FINDINGS_FILE,
        {
            "side": str(record.side),
            "reference_series": record.reference_series,
            "coordinates": "LPS mm in the reference series' patient space; slices are 0-based",
            "findings": [finding.model_dump(mode="json") for finding in result.findings.items],
            "not_looked_for": {str(name): reason for name, reason in sorted(result.findings.absent.items())},
            "notes": list(result.findings.notes),
        },
    )
