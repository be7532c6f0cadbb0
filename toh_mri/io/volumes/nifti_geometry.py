"""The geometry of a NIfTI header: RAS and (i, j, k) on its side, LPS and [slice, row, column] on ours.

Which affine: the sform where its code is set, else the qform where its code is set (the order of the NIfTI-1
standard, https://nifti.nimh.nih.gov/nifti-1). With neither set, left and right are unknown and the file is
refused.
"""

from __future__ import annotations

import math

import nibabel
import numpy as np
from numpy.typing import NDArray

from toh_mri.core.errors import GeometryError, InputError
from toh_mri.io.volumes.voxel_layout import Shape, VolumeHeader, is_usable, lay_out

LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])

_FORMS_AGREE_MM = 1.0
_LONGEST_QUATERNION = 1.0 + 1e-5  # squared length of (b, c, d); float32 numbers of a rotation exceed 1 by less


def volume_header(header: nibabel.Nifti1Header, maximum_shear_degree: float) -> VolumeHeader:
    """Read the geometry of a NIfTI header.

    Raises
    ------
    InputError
        ``not_three_dimensional``.
    GeometryError
        ``no_orientation`` or ``sheared``.
    """
    shape, volumes = sizes(header)
    ras, notes = _best_affine(header, shape)
    layout = lay_out(LPS_FROM_RAS @ ras, shape, maximum_shear_degree, header.get_dim_info()[2])
    return VolumeHeader(layout._replace(notes=(*notes, *layout.notes)), volumes)


def sizes(header: nibabel.Nifti1Header) -> tuple[Shape, int]:
    """Return the size along i, j, k, and the number of volumes; a 2-D file has one slice.

    Raises
    ------
    InputError
        ``not_three_dimensional`` for less than a slice or more than a series of volumes.
    """
    shape = [int(n) for n in header.get_data_shape()]
    if len(shape) < 2 or min(shape) < 1 or any(n != 1 for n in shape[4:]):
        raise InputError(
            "not_three_dimensional",
            f"A NIfTI file of size {' x '.join(map(str, shape)) or '0'} is neither a volume nor a series of volumes.",
            "Split vectors and directions into one file each.",
        )
    i, j, k, volumes = (*shape, 1, 1)[:4]
    return (i, j, k), volumes


def _best_affine(header: nibabel.Nifti1Header, shape: Shape) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    usable = [form for form in (_sform(header), _qform(header)) if form is not None and is_usable(form)]
    if not usable:
        raise GeometryError(
            "no_orientation",
            "Neither sform nor qform of the NIfTI header gives an orientation: left and right are unknown.",
            "Convert the series again from DICOM, with a converter that keeps the orientation.",
        )
    if len(usable) == 2 and _corner_gap_mm(usable[0], usable[1], shape) > _FORMS_AGREE_MM:
        gap = _corner_gap_mm(usable[0], usable[1], shape)
        return usable[0], (f"Its sform and qform place it up to {gap:.1f} mm apart; the sform counts.",)
    return usable[0], ()


def _sform(header: nibabel.Nifti1Header) -> NDArray[np.float64] | None:
    return np.asarray(header.get_sform(), dtype=np.float64) if int(header["sform_code"]) > 0 else None


def _qform(header: nibabel.Nifti1Header) -> NDArray[np.float64] | None:
    """Return the qform; None where its code is not set or its quaternion or voxel sizes are none.

    In double precision throughout: the first component of the quaternion is what the other three leave of 1,
    and a sum in float32 would spoil it near 0.
    """
    if int(header["qform_code"]) <= 0:
        return None
    stored = np.array([header[f"quatern_{name}"] for name in "bcd"], dtype=np.float64)
    spacing = np.array(header["pixdim"][1:4], dtype=np.float64)
    squared = float(stored @ stored)
    if not squared <= _LONGEST_QUATERNION or not (spacing > 0).all():  # also where they are not numbers
        return None
    real = math.sqrt(max(0.0, 1.0 - squared))
    if header["pixdim"][0] < 0:
        spacing[2] *= -1.0
    affine = np.eye(4)
    affine[:3, :3] = nibabel.quaternions.quat2mat([real, *stored]) * spacing
    affine[:3, 3] = [header[f"qoffset_{name}"] for name in "xyz"]
    return affine


def _corner_gap_mm(a: NDArray[np.float64], b: NDArray[np.float64], shape: Shape) -> float:
    corners = np.array([[i, j, k, 1] for i in (0, 1) for j in (0, 1) for k in (0, 1)], dtype=np.float64)
    corners[:, :3] *= np.array(shape) - 1
    return float(np.linalg.norm((corners @ (a - b).T)[:, :3], axis=1).max())
