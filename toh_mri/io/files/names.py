"""Which file names mean a volume or a picture."""

from __future__ import annotations

from pathlib import PurePath

NIFTI_SUFFIXES = (".nii.gz", ".nii")
ITK_SUFFIXES = (".nrrd", ".nhdr", ".mha", ".mhd")
VOLUME_SUFFIXES = (*NIFTI_SUFFIXES, *ITK_SUFFIXES)
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")


def volume_stem(path: PurePath) -> str | None:
    """Return the file name without the suffix of a volume format; None for other files."""
    return stem_without(path, VOLUME_SUFFIXES)


def picture_stem(path: PurePath) -> str | None:
    """Return the file name without the suffix of a picture format; None for other files."""
    return stem_without(path, PICTURE_SUFFIXES)


def stem_without(path: PurePath, suffixes: tuple[str, ...]) -> str | None:
    """Return the file name without the first of these suffixes it ends in, in any case; None where it ends in none."""
    name = path.name
    for suffix in suffixes:
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return None
