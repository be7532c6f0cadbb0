"""A hip made of a ball, a cylinder and the signals of the two-pool model: enough to test lesions on."""

from dataclasses import dataclass, field, replace

import numpy as np

from toh_mri.core.hip import Anatomy, HipImages, HipLocation, HipSeries, Label
from toh_mri.core.study import Acquisition, Alignment, Contrast, SeriesInfo, SeriesRole, SlicePlane
from toh_mri.geometry import Grid, Image, Plane, Side, Sphere

RADIUS = 24.0
CORTEX = 1.2
MUSCLE = 120.0
FATTY = {Contrast.T1: 2.3, Contrast.STIR: 0.3, Contrast.T2FS: 0.45, Contrast.PDFS: 0.35}
EDEMA = {Contrast.T1: 1.2, Contrast.STIR: 2.5, Contrast.T2FS: 3.6, Contrast.PDFS: 2.1}
FAT_OUTSIDE = {Contrast.T1: 2.5, Contrast.STIR: 0.2, Contrast.T2FS: 0.3, Contrast.PDFS: 0.25}


@dataclass(frozen=True)
class Recipe:
    """What the hip has. Fractions are functions of points relative to the head's centre, mirrored for left hips."""

    side: Side = Side.LEFT
    contrasts: tuple[Contrast, ...] = (Contrast.STIR, Contrast.T1)
    edema: object = None  # points -> edema fraction 0..1
    dark: object = None  # points -> share of the signal lost, 0..1
    unsuppressed: object = None  # points -> share of T1-like fat signal on the fat-suppressed series
    shading: float = 0.0
    noise: float = 3.0
    slices: int = 17
    spacing: tuple = (4.0, 0.7, 0.7)
    seed: int = 0
    offset: tuple = field(default=(60.0, -10.0, 5.0))


def build(recipe):
    grid = _grid(recipe)
    points = grid.voxel_centres()
    centre = np.array(recipe.offset) * [recipe.side.lateral_x, 1, 1]
    axis = np.array([0.77 * recipe.side.lateral_x, 0.0, -0.64])
    axis /= np.linalg.norm(axis)
    local = points - centre
    radial = np.linalg.norm(local, axis=-1)
    along = local @ axis
    across = np.linalg.norm(local - along[..., None] * axis, axis=-1)
    depth = np.maximum(RADIUS - radial, np.where((along > 0) & (along < 60), 16.0 - across, -50.0))
    labels = np.zeros(grid.shape, np.uint8)
    femur = depth > 0
    labels[femur] = Label.PROXIMAL_FEMUR.code
    labels[femur & (along < 36)] = Label.FEMORAL_NECK.code
    labels[femur & (along < 19.5)] = Label.FEMORAL_HEAD.code
    marrow = depth > CORTEX
    toward = local * [recipe.side.lateral_x, 1, 1]  # lateral is +x on both sides
    series = tuple(
        _series(recipe, contrast, grid, toward, marrow, femur, n) for n, contrast in enumerate(recipe.contrasts)
    )
    sphere = Sphere(tuple(centre), RADIUS)
    dimensionality = 2 if recipe.slices == 1 else 3
    anatomy = Anatomy(
        side=recipe.side,
        dimensionality=dimensionality,
        labels=Image(labels, grid),
        marrow=Image(marrow, grid),
        head=sphere,
        neck_axis=tuple(axis),
        head_neck_plane=Plane.through(centre + 19.5 * axis, axis),
        intertrochanteric_plane=Plane.through(centre + 36 * axis, axis),
        surface=_surface(centre, axis, flat=dimensionality == 2),
        confidence=1.0,
        checks=(),
    )
    images = HipImages(
        location=HipLocation(recipe.side, sphere, 1.0, 1.0, dimensionality),
        reference=series[0].info.name,
        reference_reasons=(),
        full_grid_shape=(grid.shape[0] + 5, *grid.shape[1:]),
        crop_start=(5, 0, 0),
        series=series,
    )
    return images, anatomy


def without_t1(recipe):
    return replace(recipe, contrasts=recipe.contrasts[:1])


def _grid(recipe):
    k, j, i = recipe.spacing
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = (0, k, 0), (0, 0, -j), (i, 0, 0)
    rows, columns = int(130 / j), int(130 / i)
    centre = np.array(recipe.offset) * [recipe.side.lateral_x, 1, 1]
    half = np.array([(columns - 1) * i, (recipe.slices - 1) * k, (1 - rows) * j]) / 2
    affine[:3, 3] = centre - half
    return Grid((recipe.slices, rows, columns), affine)


def _series(recipe, contrast, grid, toward, marrow, femur, number):
    random = np.random.default_rng(recipe.seed + 17 * number)
    ratio = np.where(toward[..., 2] > 45, FAT_OUTSIDE[contrast], 1.0)
    ratio = np.where(femur, 0.05, ratio)
    fraction = recipe.edema(toward) if recipe.edema else 0.0
    inside = FATTY[contrast] + fraction * (EDEMA[contrast] - FATTY[contrast])
    if recipe.unsuppressed and contrast.is_fluid_sensitive:
        inside = inside + recipe.unsuppressed(toward) * FATTY[Contrast.T1]
    if recipe.dark:
        inside = inside * (1.0 - recipe.dark(toward))
    ratio = np.where(marrow, inside, ratio)
    shading = np.exp(recipe.shading * toward[..., 0] / 50.0)
    signal = MUSCLE * ratio * shading
    noisy = np.hypot(
        signal + random.normal(0, recipe.noise, signal.shape), random.normal(0, recipe.noise, signal.shape)
    )
    role = SeriesRole(contrast=contrast, plane=SlicePlane.CORONAL, score=1.0, reasons=())
    info = SeriesInfo(
        name=f"COR_{contrast.value}",
        role=role,
        acquisition=Acquisition(),
        shape=grid.shape,
        spacing_mm=grid.spacing_mm,
        files=1,
    )
    alignment = Alignment(
        anchor="COR_T1",
        method="none",
        applied=False,
        shift_mm=0,
        rotation_degree=0,
        similarity_before=None,
        similarity_after=None,
        reason="one frame",
    )
    return HipSeries(info, Image(noisy.astype(np.float32), grid), np.eye(4), alignment)


def _surface(centre, axis, *, flat):
    side = np.cross(axis, [0.0, 1.0, 0.0])
    front = np.array([0.0, 1.0, 0.0])
    azimuth = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    if flat:
        ring = RADIUS * (np.cos(azimuth)[:, None] * axis + np.sin(azimuth)[:, None] * side)
        return (centre + ring)[None]
    direction = np.cos(azimuth)[:, None] * side + np.sin(azimuth)[:, None] * front
    ball = [
        centre + RADIUS * (-np.cos(polar) * axis + np.sin(polar) * direction)
        for polar in np.linspace(0.02, np.pi - np.arcsin(16 / RADIUS), 40)
    ]
    reach = np.linspace(np.sqrt(RADIUS**2 - 16**2) + 1, 40, 20)
    return np.array([*ball, *(centre + along * axis + 16 * direction for along in reach)])
