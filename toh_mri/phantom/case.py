"""Make a case: a person, what is wrong with a hip, and the series a scanner would deliver, with the truth."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Listing
from dataclasses import asdict, dataclass
from types import MappingProxyType

import numpy as np

from toh_mri.core.study import Contrast, SlicePlane
from toh_mri.geometry import Side
from toh_mri.phantom.course import FIRST_VISIT, Visit, onset_on_other_side
from toh_mri.phantom.disease import EDEMA_THRESHOLD, Disease
from toh_mri.phantom.examination import Examination, PhantomSeries
from toh_mri.phantom.protocol import Difficulty, SeriesPlan, default_plans
from toh_mri.phantom.scene import Scene
from toh_mri.phantom.truth import SIDE_LETTER, hip_truth, joint_params, label_codes


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
    visit : Visit
        Which of the person's visits this is.
    """

    seed: int
    field_strength_t: float
    series: tuple[PhantomSeries, ...]
    localizer: tuple[PhantomSeries, ...]
    truth: Mapping[str, object]
    visit: Visit = FIRST_VISIT


def make_case(
    seed: int,
    disease: Disease,
    *,
    side: Side,
    bilateral: bool = False,
    other: Disease = Disease.NORMAL,
    visit: Visit = FIRST_VISIT,
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
        Of the hip on `side`, at the first visit.
    side : Side
    bilateral : bool
        Both hips in a large field of view; else one hip in a small one.
    other : Disease
        Of the other hip, at the first visit.
    visit : Visit
        Later visits show the same person, further on in the course of the disease, examined anew.
    field_strength_t : float
        1.5 or 3.0.
    difficulty : Difficulty
    contrasts : sequence of (SlicePlane, Contrast)
        The series to acquire; any contrast but OTHER.
    plans : sequence of SeriesPlan, optional
        Settings of the series, instead of those that follow from `contrasts`.

    Raises
    ------
    ValueError
        For a field strength the tissue table does not have, or a series asked for twice.
    KeyError
        For a contrast the phantom cannot acquire.
    """
    if field_strength_t not in {1.5, 3.0}:
        raise ValueError(f"the phantom knows 1.5 and 3.0 tesla, not {field_strength_t}")
    chosen = tuple(plans or default_plans(field_strength_t, bilateral=bilateral, contrasts=contrasts))
    if len({plan.name for plan in chosen}) < len(chosen):
        raise ValueError("every series of a case needs a plane and contrast of its own")
    scene = _scene_at(visit, seed, {side: disease, side.other: other}, side)
    examination = Examination.draw(scene, side, visit.seed(seed), difficulty, bilateral=bilateral, patient_seed=seed)
    series, localizer = examination.acquire(chosen), examination.localizer(field_strength_t)
    in_view = tuple(Side) if bilateral else (side,)
    truth: dict[str, object] = {
        "seed": seed,
        "cls": str(disease),
        "side": SIDE_LETTER[side],
        "bilateral": bilateral,
        "visit": visit.number,
        "days": visit.days,
        "difficulty": str(difficulty),
        "field_strength_t": field_strength_t,
        "edema_threshold": EDEMA_THRESHOLD,
        "label_codes": label_codes(),
        "hips": {SIDE_LETTER[own]: hip_truth(scene.hips[own]) for own in in_view},
        "series": {one.name: _series_truth(one) for one in series},
        "params": {
            "person": asdict(scene.person),
            "hips": _drawn(scene),
            "metal": examination.screw is not None,
            "dixon_swap": examination.magnet.swap is not None and any(one.sequence.is_dixon for one in chosen),
            **joint_params({own: scene.hips[own] for own in in_view}),
        },
    }
    return PhantomCase(seed, field_strength_t, series, localizer, MappingProxyType(truth), visit)


def _scene_at(visit: Visit, seed: int, diseases: Mapping[Side, Disease], side: Side) -> Scene:
    """Draw the person as they are at a visit; TOH of one side may by then have come to the other."""
    onset = onset_on_other_side(diseases[side], seed)
    if onset is None or visit.days < onset or diseases[side.other] is not Disease.NORMAL:
        return Scene.draw(seed, diseases, dict.fromkeys(Side, visit.days))
    days = {side: visit.days, side.other: visit.days - onset}
    return Scene.draw(seed, {**diseases, side.other: diseases[side]}, days)


def _series_truth(series: PhantomSeries) -> dict[str, object]:
    plan, sequence, grid = series.plan, series.plan.sequence, series.image.grid
    voxel = grid.voxel_volume_ml
    return {
        "plane": series.name.split("_")[0],
        "contrast": str(sequence.contrast),
        "TR": sequence.repetition_time_ms,
        "TE": sequence.echo_time_ms,
        "TI": sequence.inversion_time_ms,
        "flip_degree": sequence.flip_angle_degree,
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
        "jerk": None if series.jerk is None else asdict(series.jerk),
        "oblique_degree": list(plan.tilt_degree),
        "affine_lps_slice_row_column": grid.affine.tolist(),
        "edema_ml_on_grid": float(np.count_nonzero(series.masks["edema"].array)) * voxel,
        "necrosis_ml_on_grid": float(np.count_nonzero(series.masks["necrosis"].array)) * voxel,
    }


def _drawn(scene: Scene) -> dict[str, object]:
    """Return what was drawn for the lesions of each hip, numbers only."""
    return {SIDE_LETTER[side]: hip.lesions.drawn() for side, hip in scene.hips.items()}
