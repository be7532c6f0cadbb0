"""Make a case: a person, what is wrong with a hip, and the series a scanner would deliver, with the truth."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Listing
from dataclasses import asdict, dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from toh_mri.core.study import Contrast, SlicePlane
from toh_mri.geometry import Grid, Image, Side
from toh_mri.phantom.disease import EDEMA_THRESHOLD, Disease
from toh_mri.phantom.painting import render
from toh_mri.phantom.protocol import Difficulty, SeriesPlan, default_plans, localizer_plans, place
from toh_mri.phantom.scanner import Coil, Magnet, acquire, draw_movement
from toh_mri.phantom.scene import Scene
from toh_mri.phantom.streams import stream
from toh_mri.phantom.truth import SIDE_LETTER, hip_truth, joint_params, label_codes, masks_of


@dataclass(frozen=True, eq=False)
class PhantomSeries:
    """One series with its truth.

    Attributes
    ----------
    plan : SeriesPlan
    image : Image of int16
    masks : mapping of str to Image of uint8
        By the names of the truth layout: ``labels``, ``edema``, ...
    movement : ndarray of float64, shape (4, 4)
        How the patient lay: LPS mm of the truth's landmarks to LPS mm of this series.
    """

    plan: SeriesPlan
    image: Image
    masks: Mapping[str, Image]
    movement: NDArray[np.float64]

    @property
    def name(self) -> str:
        """Name of the series' files, for example ``COR_STIR``."""
        return self.plan.name


@dataclass(frozen=True, eq=False)
class PhantomCase:
    """One synthetic study with its truth.

    Attributes
    ----------
    seed : int
    field_strength_t : float
    series : tuple of PhantomSeries
    localizer : tuple of PhantomSeries
        Single thick slices in the three planes.
    truth : mapping
        What ``truth.json`` holds.
    """

    seed: int
    field_strength_t: float
    series: tuple[PhantomSeries, ...]
    localizer: tuple[PhantomSeries, ...]
    truth: Mapping[str, object]


def make_case(
    seed: int,
    disease: Disease,
    *,
    side: Side,
    bilateral: bool = False,
    field_strength_t: float = 1.5,
    difficulty: Difficulty = Difficulty.STANDARD,
    contrasts: Listing[tuple[SlicePlane, Contrast]] = (
        (SlicePlane.CORONAL, Contrast.T1),
        (SlicePlane.CORONAL, Contrast.STIR),
    ),
    plans: Listing[SeriesPlan] | None = None,
) -> PhantomCase:
    """Make one case. The same arguments give the same case.

    Parameters
    ----------
    seed : int
        Everything random comes from it, >= 0.
    disease : Disease
        Of the hip on `side`; the other hip of a bilateral case is normal.
    side : Side
    bilateral : bool
        Both hips in a large field of view; else one hip in a small one.
    field_strength_t : float
        1.5 or 3.0.
    difficulty : Difficulty
    contrasts : sequence of (SlicePlane, Contrast)
        The series to acquire, T1, STIR, T2FS or PDFS.
    plans : sequence of SeriesPlan, optional
        Settings of the series, instead of those that follow from `contrasts`.

    Raises
    ------
    ValueError
        For a field strength the tissue table does not have, or a series asked for twice.
    """
    if field_strength_t not in {1.5, 3.0}:
        raise ValueError(f"the phantom knows 1.5 and 3.0 tesla, not {field_strength_t}")
    chosen = tuple(plans or default_plans(field_strength_t, bilateral=bilateral, contrasts=contrasts))
    if len({plan.name for plan in chosen}) < len(chosen):
        raise ValueError("every series of a case needs a plane and contrast of its own")
    scene = Scene.draw(seed, {side: disease})
    examination = _Examination.draw(scene, side, seed, difficulty, bilateral=bilateral)
    series = tuple(examination.acquire(plan, still=index == 0) for index, plan in enumerate(chosen))
    localizer = tuple(examination.acquire(plan, still=True) for plan in localizer_plans(field_strength_t))
    in_view = tuple(Side) if bilateral else (side,)
    truth: dict[str, object] = {
        "seed": seed,
        "cls": str(disease),
        "side": SIDE_LETTER[side],
        "bilateral": bilateral,
        "difficulty": str(difficulty),
        "field_strength_t": field_strength_t,
        "edema_threshold": EDEMA_THRESHOLD,
        "label_codes": label_codes(),
        "hips": {SIDE_LETTER[own]: hip_truth(scene.hips[own]) for own in in_view},
        "series": {one.name: _series_truth(one) for one in series},
        "params": {
            "person": asdict(scene.person),
            "hips": _drawn(scene),
            **joint_params({own: scene.hips[own] for own in in_view}),
        },
    }
    return PhantomCase(seed, field_strength_t, series, localizer, MappingProxyType(truth))


@dataclass(frozen=True, eq=False)
class _Examination:
    """One visit to the scanner."""

    scene: Scene
    seed: int
    difficulty: Difficulty
    coil: Coil
    magnet: Magnet
    center: NDArray[np.float64]
    turn: NDArray[np.float64]

    @classmethod
    def draw(cls, scene: Scene, side: Side, seed: int, difficulty: Difficulty, *, bilateral: bool) -> _Examination:
        """Draw coil, field and prescription."""
        rng = stream(seed, "prescription")
        hip = scene.hips[side]
        hip_center = hip.to_world([0.0, 0.0, 0.0])
        middle = np.array([0.0, 0.0, -18.0]) if bilateral else hip.to_world([2.0, 2.0, -12.0])
        tilt = np.radians(rng.normal(0, [1.5, 1.5, 2.0]))
        coil_rng = stream(seed, "coil")
        return cls(
            scene=scene,
            seed=seed,
            difficulty=difficulty,
            coil=Coil.over_body(difficulty, coil_rng) if bilateral else Coil.over_hip(hip_center, difficulty, coil_rng),
            magnet=Magnet.draw(difficulty, stream(seed, "magnet")),
            center=middle + rng.normal(0, 3.0, 3),
            turn=Rotation.from_rotvec(tilt).as_matrix(),
        )

    def acquire(self, plan: SeriesPlan, *, still: bool) -> PhantomSeries:
        """Acquire one series; `still` where the patient has not moved yet."""
        grid = place(plan, self.center, self.turn)
        movement = np.eye(4) if still else draw_movement(self.difficulty, stream(self.seed, f"movement/{plan.name}"))
        seen: Grid = grid.transformed(np.linalg.inv(movement))
        rendering = render(self.scene, seen, plan.thickness_mm, plan.sequence)
        noise = stream(self.seed, f"noise/{plan.name}")
        array = acquire(rendering, plan, grid, self.coil, self.magnet, self.difficulty, noise)
        masks = {name: Image(mask, grid) for name, mask in masks_of(rendering.truth, grid.shape).items()}
        return PhantomSeries(plan, Image(array, grid), MappingProxyType(masks), movement)


def _series_truth(series: PhantomSeries) -> dict[str, object]:
    plan, sequence, grid = series.plan, series.plan.sequence, series.image.grid
    voxel = grid.voxel_volume_ml
    return {
        "plane": series.name.split("_")[0],
        "contrast": str(sequence.contrast),
        "TR": sequence.repetition_time_ms,
        "TE": sequence.echo_time_ms,
        "TI": sequence.inversion_time_ms,
        "etl": sequence.echo_train_length,
        "fat_sat": sequence.spectral_fat_suppression,
        "rows": plan.matrix,
        "cols": plan.matrix,
        "slices": plan.slices,
        "pixel_mm": plan.fov_mm / plan.matrix,
        "thickness_mm": plan.thickness_mm,
        "spacing_mm": plan.spacing_mm,
        "snr": plan.snr,
        "movement_lps": series.movement.tolist(),
        "affine_lps_slice_row_column": grid.affine.tolist(),
        "edema_ml_on_grid": float(np.count_nonzero(series.masks["edema"].array)) * voxel,
        "necrosis_ml_on_grid": float(np.count_nonzero(series.masks["necrosis"].array)) * voxel,
    }


def _drawn(scene: Scene) -> dict[str, object]:
    """Return what was drawn for the lesions of each hip, numbers only."""
    drawn: dict[str, object] = {}
    for side, hip in scene.hips.items():
        lesion = hip.lesions.edema or hip.lesions.necrosis
        values = {} if lesion is None else {k: v for k, v in vars(lesion).items() if isinstance(v, float)}
        drawn[SIDE_LETTER[side]] = {"fluid_mm": hip.lesions.fluid_mm, **values}
    return drawn
