"""One visit to the scanner: the prescription, the series acquired, and their truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Listing
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from toh_mri.geometry import Grid, Image, Side
from toh_mri.phantom.coil import Coil
from toh_mri.phantom.magnet import Magnet
from toh_mri.phantom.metal import Screw
from toh_mri.phantom.motion import Jerk, Pulsation, draw_movement, vessel_share
from toh_mri.phantom.painting import render
from toh_mri.phantom.points import Field, Points
from toh_mri.phantom.protocol import Difficulty, SeriesPlan, localizer_plans, place
from toh_mri.phantom.scanner import Disturbance, acquire
from toh_mri.phantom.scene import Hip, Scene
from toh_mri.phantom.shapes import ramp
from toh_mri.phantom.streams import stream
from toh_mri.phantom.truth import masks_of

_SCREW_SHARE = {Difficulty.EASY: 0.0, Difficulty.STANDARD: 0.0, Difficulty.HARD: 0.08}  # the author's choice


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
    jerk : Jerk or None
        How the patient moved meanwhile; masks show where things were while the middle of k-space was acquired.
    """

    plan: SeriesPlan
    image: Image
    masks: Mapping[str, Image]
    movement: NDArray[np.float64]
    jerk: Jerk | None = None

    @property
    def name(self) -> str:
        """Name of the series' files, for example ``COR_STIR``."""
        return self.plan.name


@dataclass(frozen=True, eq=False)
class Examination:
    """One visit to the scanner.

    Attributes
    ----------
    scene : Scene
    seed : int
        Of the visit: noise and movement come from it.
    difficulty : Difficulty
    coil : Coil
    magnet : Magnet
    pulsation : Pulsation
    screw : Screw or None
        Metal in the femur, where the patient lies at first.
    center : ndarray of float64, shape (3,)
        Middle of the field of view, LPS mm.
    turn : ndarray of float64, shape (3, 3)
        Rotation of the prescription away from the patient's axes.
    """

    scene: Scene
    seed: int
    difficulty: Difficulty
    coil: Coil
    magnet: Magnet
    pulsation: Pulsation
    screw: Screw | None
    center: NDArray[np.float64]
    turn: NDArray[np.float64]

    @classmethod
    def draw(
        cls, scene: Scene, side: Side, seed: int, difficulty: Difficulty, *, bilateral: bool, patient_seed: int
    ) -> Examination:
        """Draw coil, field and prescription of a visit, and heart beat and metal of a patient.

        Metal is rare and lies in the other femur where both are in view; `patient_seed` is the same at every visit.
        """
        rng = stream(seed, "prescription")
        hip = scene.hips[side]
        hip_center = hip.to_world([0.0, 0.0, 0.0])
        middle = np.array([0.0, 0.0, -18.0]) if bilateral else hip.to_world([2.0, 2.0, -12.0])
        tilt = np.radians(rng.normal(0, [1.5, 1.5, 2.0]))
        coil_rng = stream(seed, "coil")
        with_screw = scene.hips[side.other if bilateral else side]
        return cls(
            scene=scene,
            seed=seed,
            difficulty=difficulty,
            coil=Coil.over_body(difficulty, coil_rng) if bilateral else Coil.over_hip(hip_center, difficulty, coil_rng),
            magnet=Magnet.draw(difficulty, stream(seed, "magnet")),
            pulsation=Pulsation.draw(difficulty, stream(patient_seed, "pulsation")),
            screw=_draw_screw(with_screw, difficulty, stream(patient_seed, "metal")),
            center=middle + rng.normal(0, 3.0, 3),
            turn=Rotation.from_rotvec(tilt).as_matrix(),
        )

    def acquire(self, plans: Listing[SeriesPlan]) -> tuple[PhantomSeries, ...]:
        """Acquire the series of a study; the patient's place in the first one is that of the truth's landmarks."""
        found: list[PhantomSeries] = []
        moved: dict[str, NDArray[np.float64]] = {}
        for name, together in groupby(plans, key=lambda plan: plan.acquisition):
            if name not in moved:  # the images of one acquisition need not follow each other
                moved[name] = (
                    draw_movement(self.difficulty, stream(self.seed, f"movement/{name}")) if moved else np.eye(4)
                )
            found += self._together(list(together), moved[name])
        return tuple(found)

    def localizer(self, field_strength_t: float) -> tuple[PhantomSeries, ...]:
        """Acquire a scout, before anything moves."""
        return tuple(one for plan in localizer_plans(field_strength_t) for one in self._together([plan], np.eye(4)))

    def _together(self, plans: Listing[SeriesPlan], movement: NDArray[np.float64]) -> Iterator[PhantomSeries]:
        """Acquire the series that come from one acquisition."""
        plan = plans[0]
        grid = place(plan, self.center, self.turn)
        seen = grid.transformed(np.linalg.inv(movement))
        rendering = render(self.scene, seen, plan.thickness_mm, plan.sequence)
        masks = {name: Image(mask, grid) for name, mask in masks_of(rendering.truth, grid.shape).items()}
        disturbance = self._disturbance(plan, seen, movement)
        for one in plans:
            noise = stream(self.seed, f"noise/{one.acquisition}")
            array = acquire(rendering, one, grid, self.coil, self.magnet, self.difficulty, noise, disturbance)
            yield PhantomSeries(one, Image(array, grid), MappingProxyType(masks), movement, disturbance.jerk)

    def _disturbance(self, plan: SeriesPlan, seen: Grid, movement: NDArray[np.float64]) -> Disturbance:
        """Return what disturbs a series; a scout is over before anything happens."""
        screw = None if self.screw is None else self.screw.moved(movement)
        if plan.slices == 1:
            return Disturbance(screw=screw)
        return Disturbance(
            jerk=Jerk.draw(self.difficulty, stream(self.seed, f"jerk/{plan.acquisition}")),
            pulsation=self.pulsation,
            vessels=_vessels(self.scene, seen),
            screw=screw,
        )


def _vessels(scene: Scene, grid: Grid) -> NDArray[np.float32]:
    """Share of each voxel that the femoral vessels take."""
    share = np.empty(grid.shape, dtype=np.float32)
    index = np.indices(grid.shape[1:])
    for k in range(grid.shape[0]):
        at = grid.to_world(np.stack([np.full(grid.shape[1:], k), *index], axis=-1))
        share[k] = vessel_share(scene, Points.of(at), grid.spacing_mm[1])
    # What lies beyond the field of view is not rendered: without a taper its ghosts would end in straight edges.
    return np.asarray(share * _taper(grid.shape[1])[:, None] * _taper(grid.shape[2]), dtype=np.float32)


def _taper(n: int) -> Field:
    """Rise from 0 at both ends of n samples to 1, within an eighth of them."""
    to_edge = np.minimum(np.arange(n), np.arange(n)[::-1]).astype(np.float32)
    return ramp(to_edge, 0.0, n / 8)


def _draw_screw(hip: Hip, difficulty: Difficulty, rng: np.random.Generator) -> Screw | None:
    """Draw a screw across the shaft below the lesser trochanter, or None."""
    if rng.random() >= _SCREW_SHARE[difficulty]:
        return None
    shaft = hip.femur.shaft
    middle = shaft.origin + shaft.axis * rng.uniform(48, 62)
    half = np.array([rng.uniform(17, 22), rng.normal(0, 3), rng.normal(0, 4)])
    return Screw(hip.to_world(middle - half), hip.to_world(middle + half), float(rng.uniform(1.9, 2.6)))
