"""Studies made of images, without files."""

from pathlib import Path

import numpy as np

from toh_mri.core.study import (
    Acquisition,
    AlignedSeries,
    AlignedStudy,
    Alignment,
    Contrast,
    Series,
    SeriesInfo,
    SeriesRole,
    SlicePlane,
    Study,
    StudyIdentity,
    StudyIndex,
)
from toh_mri.geometry import Image

PLANES = {"COR": SlicePlane.CORONAL, "AX": SlicePlane.AXIAL, "SAG": SlicePlane.SAGITTAL}


def make_series(name, image):
    """Return a series whose role is in its name: COR_STIR, AX_T1_2 ..."""
    plane, contrast = name.split("_")[:2]
    role = SeriesRole(contrast=Contrast(contrast), plane=PLANES[plane], score=1, reasons=())
    info = SeriesInfo(
        name=name,
        role=role,
        acquisition=Acquisition(),
        shape=image.grid.shape,
        spacing_mm=image.grid.spacing_mm,
        files=1,
    )
    return Series(info, image)


def make_study(images):
    """Return a study of named images."""
    series = tuple(make_series(name, image) for name, image in sorted(images.items()))
    index = StudyIndex(Path("study"), StudyIdentity(None, None, None), (), (), ())
    return Study("study", "patient", None, series, (), index, ())


def make_aligned(images, to_frame=None):
    """Return named images as an aligned study; `to_frame` holds transforms that are not the identity."""
    study = make_study(images)
    placed = []
    for item in study.series:
        alignment = Alignment(
            anchor=study.series[0].name,
            method="none",
            applied=False,
            shift_mm=0,
            rotation_degree=0,
            similarity_before=None,
            similarity_after=None,
            reason="made",
        )
        placed.append(AlignedSeries(item, (to_frame or {}).get(item.name, np.eye(4)), alignment))
    return AlignedStudy(study, study.series[0].name, tuple(placed))


def flipped(image, axes):
    """Return the same picture with array axes reversed."""
    affine = np.array(image.grid.affine)
    for axis in axes:
        affine[:3, 3] += affine[:3, axis] * (image.grid.shape[axis] - 1)
        affine[:3, axis] *= -1
    return Image(np.flip(image.array, axes), type(image.grid)(image.grid.shape, affine))


def permuted(image, order):
    """Return the same picture with array axes in another order."""
    affine = image.grid.affine[:, [*order, 3]]
    array = np.transpose(image.array, order)
    return Image(array, type(image.grid)(array.shape, affine))


def mirrored(image):
    """Return the picture of the mirrored patient: x becomes -x."""
    return Image(image.array, type(image.grid)(image.grid.shape, np.diag([-1.0, 1, 1, 1]) @ image.grid.affine))
