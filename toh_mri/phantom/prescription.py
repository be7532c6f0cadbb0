"""Draw what an examination consists of: its series, their contrast, resolution, slices and obliquity.

Ranges are those of routine hip protocols (slices of 3-5 mm with gaps of 0-1 mm, fields of view of 160-200 mm for one
hip and 340-400 mm for both); the shares of each choice are the author's, and follow no published mix.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import numpy as np

from toh_mri.core.study import Contrast, SlicePlane
from toh_mri.geometry import Side
from toh_mri.phantom.protocol import Dialect, SeriesPlan, default_plans, volume_plan

_FLUID_SHARES = {Contrast.STIR: 0.45, Contrast.T2FS: 0.2, Contrast.PDFS: 0.2, Contrast.DIXON_WATER: 0.15}
_VOLUME_SHARE = 0.12  # of the T1-weighted series
_SECOND_PLANE_SHARE = 0.33
_OBLIQUE_SHARE = {SlicePlane.CORONAL: 0.25, SlicePlane.AXIAL: 0.5, SlicePlane.SAGITTAL: 0.0}
_OBLIQUE_DEGREE = {SlicePlane.CORONAL: (8.0, 22.0), SlicePlane.AXIAL: (20.0, 35.0)}
_TURNED_ABOUT = {SlicePlane.CORONAL: 2, SlicePlane.AXIAL: 1}  # LPS axis
_COVERED_MM = {SlicePlane.CORONAL: 80.0, SlicePlane.AXIAL: 96.0, SlicePlane.SAGITTAL: 88.0}
_READOUT_SHARE, _PHASE_SHARE = (0.9, 1.0), (0.72, 0.92)


def draw_series(
    rng: np.random.Generator, *, field_strength_t: float, side: Side, bilateral: bool
) -> tuple[SeriesPlan, ...]:
    """Draw the series of one examination.

    A coronal T1-weighted series (at times a volume), a coronal fluid-sensitive one (at times a water-fat
    separation, which gives two), and in a third of the examinations another plane of the latter. With one hip in
    view, slices may be turned to lie along its neck.

    Parameters
    ----------
    rng : Generator
    field_strength_t : float
        1.5 or 3.0.
    side : Side
        The hip that slices of a unilateral examination are placed on.
    bilateral : bool

    Returns
    -------
    tuple of SeriesPlan
        For `make_case`; every name comes once.
    """
    dialect = tuple(Dialect)[int(rng.integers(len(Dialect)))]
    fluid = tuple(_FLUID_SHARES)[int(rng.choice(len(_FLUID_SHARES), p=[*_FLUID_SHARES.values()]))]
    other_plane = (SlicePlane.SAGITTAL, SlicePlane.AXIAL)[int(rng.integers(2))]
    volume, second = rng.random() < _VOLUME_SHARE, rng.random() < _SECOND_PLANE_SHARE
    wanted = [(SlicePlane.CORONAL, Contrast.T1), (SlicePlane.CORONAL, fluid)]
    if second:
        wanted.append((other_plane, Contrast.PDFS if fluid is Contrast.DIXON_WATER else fluid))
    oblique = {plane: _tilt(plane, side, rng) for plane in SlicePlane}
    plans: list[SeriesPlan] = []
    for usual in default_plans(field_strength_t, bilateral=bilateral, contrasts=wanted):
        is_volume = volume and usual.sequence.contrast is Contrast.T1
        plan = (
            volume_plan(field_strength_t, bilateral=bilateral)
            if is_volume
            else _varied(usual, rng, bilateral=bilateral)
        )
        plan = replace(plan, dialect=dialect, tilt_degree=(0.0, 0.0, 0.0) if bilateral else oblique[plan.plane])
        plans += _both_parts(plan)
    return tuple(plans)


def _both_parts(plan: SeriesPlan) -> tuple[SeriesPlan, ...]:
    """Return the plan, and with the water image of a separation its fat image."""
    if plan.sequence.contrast is not Contrast.DIXON_WATER:
        return (plan,)
    return plan, replace(plan, sequence=replace(plan.sequence, contrast=Contrast.DIXON_FAT))


def _tilt(plane: SlicePlane, side: Side, rng: np.random.Generator) -> tuple[float, float, float]:
    """Draw a turn of the slices towards the neck's axis, which runs forward and up from lateral to medial."""
    turn = [0.0, 0.0, 0.0]
    if rng.random() < _OBLIQUE_SHARE[plane]:
        turn[_TURNED_ABOUT[plane]] = side.lateral_x * float(rng.uniform(*_OBLIQUE_DEGREE[plane]))
    return turn[0], turn[1], turn[2]


def _varied(plan: SeriesPlan, rng: np.random.Generator, *, bilateral: bool) -> SeriesPlan:
    """Draw field of view, matrix, slices and the direction of the readout of a two-dimensional series."""
    thickness = float(rng.choice([3.5, 4.0, 4.0, 4.5, 5.0] if bilateral else [3.0, 3.0, 3.5, 4.0, 5.0]))
    gap = min(1.0, round(float(rng.choice([0.0, 0.1, 0.2, 0.3])) * thickness, 2))
    fov = float(rng.choice([340.0, 360.0, 380.0, 400.0] if bilateral else [160.0, 180.0, 200.0, 210.0]))
    matrix = int(rng.choice([320, 320, 352] if bilateral else [240, 256, 288, 320]))
    readout = int(rng.integers(2))
    shares = [float(rng.uniform(*_PHASE_SHARE))] * 2
    shares[readout] = float(rng.uniform(*_READOUT_SHARE))
    voxel = (fov / matrix) ** 2 * thickness
    usual = (plan.fov_mm / plan.matrix) ** 2 * plan.thickness_mm
    return replace(
        plan,
        fov_mm=fov,
        matrix=matrix,
        acquired=(shares[0], shares[1]),
        readout=readout,
        slices=ceil(_COVERED_MM[plan.plane] / (thickness + gap)),
        thickness_mm=thickness,
        gap_mm=gap,
        snr=round(plan.snr * float(np.clip(np.sqrt(voxel / usual), 0.75, 1.3)), 2),
    )
