"""Contrast of tissues in rendered and in acquired images, against the equations written out again.

Where a tissue is, and how much of each sample it takes, comes from renderings in which one tissue gives a signal
of 1 and the others none; what it should give there comes from the stated water and fat weights, relaxation times
and sequence settings alone.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import permutations
from math import exp, log

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from toh_mri.core.study import Contrast, SlicePlane
from toh_mri.geometry import Grid, Side
from toh_mri.phantom.coil import Coil
from toh_mri.phantom.disease import Disease
from toh_mri.phantom.magnet import Magnet
from toh_mri.phantom.noise import Texture
from toh_mri.phantom.painting import FINE, Rendering, render
from toh_mri.phantom.painting.canvas import Mixture
from toh_mri.phantom.protocol import Difficulty, SeriesPlan, default_plans, place, sequence_of
from toh_mri.phantom.scanner import acquire
from toh_mri.phantom.scene import Scene
from toh_mri.phantom.signal import fat_signal, water_signal
from toh_mri.phantom.tissues import FAT_T1_MS, FAT_T2_MS, Tissue

Found = dict[tuple[Contrast, float], dict[Tissue, float]]

CONTRASTS = (Contrast.T1, Contrast.STIR, Contrast.T2FS, Contrast.PDFS)
FIELDS = (1.5, 3.0)
LEAK = 0.012  # share of fat's main peak that spectral suppression leaves
OLEFINIC = 0.047  # share of fat's signal that is not in that peak but beside water's
SUPPRESSED = OLEFINIC + (1 - OLEFINIC) * LEAK
FAT_LEFT = {Contrast.T1: 1.0, Contrast.STIR: 1.0, Contrast.T2FS: SUPPRESSED, Contrast.PDFS: SUPPRESSED}

TISSUES = (
    *(Tissue.MUSCLE, Tissue.SUBCUTANEOUS_FAT, Tissue.YELLOW_MARROW, Tissue.RED_MARROW, Tissue.EDEMA, Tissue.FLUID),
    *(Tissue.CARTILAGE, Tissue.CORTEX, Tissue.SCLEROSIS, Tissue.MUMMIFIED_FAT, Tissue.GRANULATION),
    *(Tissue.DEEP_FAT, Tissue.DEBRIS),  # between the fibres of muscle; in lesions
)
THIN = {Tissue.GRANULATION, Tissue.DEBRIS, Tissue.MUMMIFIED_FAT}

# Signal relative to muscle on T1, STIR, PD-FS and T2-FS, each at 1.5 and 3 T: computed from published relaxation
# times with two pools, TR/TE 600/10, 4500/45 (fat nulled), 3000/35 and 4000/65 (5 % of the fat left). The weights
# of muscle behind them are not known: an orientation of about +-30 %.
ESTIMATES = {
    Tissue.YELLOW_MARROW: ((2.65, 2.92), (0.15, 0.14), (0.28, 0.30), (0.41, 0.44)),
    Tissue.RED_MARROW: ((2.00, 2.17), (0.76, 0.74), (0.88, 0.91), (1.08, 1.11)),
    Tissue.EDEMA: ((1.46, 1.59), (2.05, 2.18), (1.64, 1.78), (2.74, 3.13)),
    Tissue.FLUID: ((0.68, 0.66), (4.26, 4.28), (2.25, 2.22), (5.70, 6.02)),
    Tissue.CARTILAGE: ((0.92, 0.96), (1.11, 1.06), (1.09, 1.09), (1.24, 1.22)),
    Tissue.SCLEROSIS: ((0.42, 0.47), (0.13, 0.13), (0.17, 0.18), (0.16, 0.17)),
    Tissue.MUMMIFIED_FAT: ((2.53, 2.79), (0.10, 0.11), (0.23, 0.25), (0.34, 0.39)),
    Tissue.GRANULATION: ((1.27, 1.37), (2.44, 2.57), (1.87, 2.03), (3.40, 3.84)),
    Tissue.SUBCUTANEOUS_FAT: ((2.85, 3.15), (0.04, 0.04), (0.18, 0.20), (0.30, 0.34)),
    Tissue.CORTEX: ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0)),
}
ORDER = (Contrast.T1, Contrast.STIR, Contrast.PDFS, Contrast.T2FS)
ROUGHLY = 0.30
NOISE = 0.06  # a difference that the noise of the fluid-sensitive series (1/13 of muscle) hides

PLAIN = {  # least share and distance from the edge in samples, where the mean of an acquired image is taken
    Tissue.MUSCLE: (0.96, 5),
    Tissue.SUBCUTANEOUS_FAT: (0.99, 5),
    Tissue.YELLOW_MARROW: (0.70, 4),
    Tissue.EDEMA: (0.90, 4),
}


class Tags:
    """A palette in which two tissues give a signal of 1, one as water and one as fat; None stands for all."""

    def __init__(self, water: Tissue | None, fat: Tissue | None) -> None:
        self._wanted = (water, fat)

    def __call__(self, _: object) -> "Tags":
        return self

    def __getitem__(self, tissue: Tissue) -> Mixture:
        return Mixture(*(np.full(1, wanted in {tissue, None}, dtype=np.float32) for wanted in self._wanted))


@dataclass(frozen=True, eq=False)
class Anatomy:
    """One slice through both hips, one with TOH and one with osteonecrosis."""

    scene: Scene
    grid: Grid
    shares: Mapping[Tissue | None, NDArray[np.float32]]

    def region(self, tissue: Tissue, least: float, margin: int) -> NDArray[np.bool_]:
        """Return the pixels of a tissue, `margin` samples from its edge, where spectral suppression does not fail."""
        pure = (self.shares[tissue] >= least * self.shares[None]) & (self.shares[None] > 0.5)
        inside = ndimage.binary_erosion(pure, np.ones((1, 3, 3)), iterations=margin)[:, ::FINE, ::FINE]
        world = self.grid.to_world(np.stack(np.indices(self.grid.shape), axis=-1))
        return inside & (np.hypot(world[..., 0] / 230, world[..., 2] / 190) < 0.7)


def plan_of(contrast: Contrast, field: float) -> SeriesPlan:
    (plan,) = default_plans(field, bilateral=True, contrasts=[(SlicePlane.CORONAL, contrast)])
    return replace(
        plan,
        fov_mm=340.0,
        matrix=340,
        acquired=(1.0, 1.0),
        slices=1,
        thickness_mm=1.0,
    )


@pytest.fixture(scope="module")
def anatomy() -> Anatomy:
    scene = Scene.draw(4, {Side.LEFT: Disease.TOH, Side.RIGHT: Disease.ON})
    plan = plan_of(Contrast.T1, 1.5)
    heads = np.mean([scene.hips[side].to_world([0.0, 0.0, 0.0]) for side in Side], axis=0)
    grid = place(plan, heads - np.array([0.0, 6.0, 0.0]), np.eye(3))
    shares: dict[Tissue | None, NDArray[np.float32]] = {}
    wanted = [None, *TISSUES]
    with pytest.MonkeyPatch.context() as patch:
        for water, fat in zip(wanted[::2], wanted[1::2], strict=True):
            patch.setattr(sys.modules["toh_mri.phantom.painting.render"], "Palette", Tags(water, fat))
            made = render(scene, grid, plan.thickness_mm, plan.sequence)
            shares |= {water: made.water, fat: made.fat}
    return Anatomy(scene, grid, shares)


@pytest.fixture(scope="module")
def renderings(anatomy: Anatomy) -> dict[tuple[Contrast, float], Rendering]:
    plans = {(contrast, field): plan_of(contrast, field) for contrast in CONTRASTS for field in FIELDS}
    return {key: render(anatomy.scene, anatomy.grid, plan.thickness_mm, plan.sequence) for key, plan in plans.items()}


@pytest.fixture(scope="module")
def found(anatomy: Anatomy, renderings: dict[tuple[Contrast, float], Rendering]) -> Found:
    """Magnitude of every tissue over muscle's, by sequence: what explains the rendered samples best.

    Of a tissue too thin to be seen by itself in this slice it is the one the slice is painted with.
    """
    seen = [tissue for tissue in TISSUES if anatomy.shares[tissue].max() > 0.4]
    assert not set(TISSUES) - set(seen) - THIN
    inside = sum(anatomy.shares[tissue] for tissue in seen) > 0.999 * anatomy.shares[None]
    inside &= anatomy.shares[None] > 0.5
    shares = np.stack([anatomy.shares[tissue][inside] for tissue in seen], axis=-1).astype(np.float64)
    ratios = {}
    for key, made in renderings.items():
        signal = (made.water + made.fat * np.float32(FAT_LEFT[key[0]]))[inside].astype(np.float64)
        own = dict(zip(seen, np.linalg.solve(shares.T @ shares, shares.T @ signal), strict=True))
        sequence = sequence_of(*key)
        for thin in set(TISSUES) - set(seen):
            own[thin] = water_signal(thin, sequence) + fat_signal(thin, sequence) * FAT_LEFT[key[0]]
        ratios[key] = {tissue: float(abs(own[tissue] / own[Tissue.MUSCLE])) for tissue in TISSUES}
    return ratios


def expected(tissue: Tissue, contrast: Contrast, field: float) -> float:
    """Signed signal of a tissue: ``w (1 - 2 exp(-TI/T1) + exp(-TR/T1)) exp(-TE/T2)``, without inversion half of it."""
    sequence = sequence_of(contrast, field)
    tr, te, ti = sequence.repetition_time_ms, sequence.echo_time_ms, sequence.inversion_time_ms
    made_of, pick = tissue.value, FIELDS.index(field)

    def pool(t1: float, t2: float) -> float:
        upright = 1 - exp(-tr / t1) if ti is None else 1 - 2 * exp(-ti / t1) + exp(-tr / t1)
        return upright * exp(-te / t2)

    water = made_of.water * pool(made_of.t1_ms[pick], made_of.t2_ms[pick])
    return water + made_of.fat * pool(FAT_T1_MS[field], FAT_T2_MS[field]) * FAT_LEFT[contrast]


def over_muscle(tissue: Tissue, contrast: Contrast, field: float) -> float:
    return abs(expected(tissue, contrast, field) / expected(Tissue.MUSCLE, contrast, field))


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("contrast", CONTRASTS)
def test_every_tissue_has_the_signal_of_the_equations(found: Found, contrast: Contrast, field: float):
    wanted = {tissue: over_muscle(tissue, contrast, field) for tissue in TISSUES}
    assert found[contrast, field] == pytest.approx(wanted, rel=0.05, abs=1e-3)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("contrast", CONTRASTS)
def test_ratios_have_the_size_and_order_of_published_estimates(found: Found, contrast: Contrast, field: float):
    pick = ORDER.index(contrast), FIELDS.index(field)
    ratios = found[contrast, field]
    estimates = {tissue: values[pick[0]][pick[1]] for tissue, values in ESTIMATES.items()}
    for tissue, estimate in estimates.items():
        nothing = NOISE if estimate < 2 * NOISE else 0.0
        assert ratios[tissue] == pytest.approx(estimate, rel=ROUGHLY, abs=nothing), tissue
    for one, other in permutations(estimates, 2):
        if estimates[one] > max((1 + ROUGHLY) * estimates[other], NOISE):
            assert ratios[one] > ratios[other], (one, other)


@pytest.mark.parametrize("field", FIELDS)
def test_inversion_time_is_set_just_short_of_the_null_of_fat(field: float):
    ti, tr = sequence_of(Contrast.STIR, field).inversion_time_ms, sequence_of(Contrast.STIR, field).repetition_time_ms
    t1 = FAT_T1_MS[field]
    assert ti == pytest.approx(t1 * log(2), rel=0.02)
    assert -0.005 < 1 - 2 * exp(-ti / t1) + exp(-tr / t1) < -0.002


def acquired(made: Rendering, plan: SeriesPlan, grid: Grid, difficulty: Difficulty) -> NDArray[np.float64]:
    """Acquire with an even coil and an even magnet."""
    even = Texture(np.zeros((2, 2, 2), dtype=np.float32), np.ones(3))
    coil, magnet = Coil(np.zeros(3), 100.0, 0.0, even), Magnet(LEAK, even)
    return acquire(made, plan, grid, coil, magnet, difficulty, np.random.default_rng(1)).astype(np.float64)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("contrast", CONTRASTS)
def test_means_of_an_acquired_image_are_those_of_its_tissues(anatomy, renderings, contrast: Contrast, field: float):
    plan = plan_of(contrast, field)
    image = acquired(renderings[contrast, field], replace(plan, snr=100.0), anatomy.grid, Difficulty.EASY)
    signal = sum(anatomy.shares[tissue] * expected(tissue, contrast, field) for tissue in TISSUES)
    means = {}
    for tissue, (least, margin) in PLAIN.items():
        region = anatomy.region(tissue, least, margin)
        assert np.count_nonzero(region) > 20, tissue
        means[tissue] = image[region].mean(), np.abs(signal[:, ::FINE, ::FINE][region]).mean()
    muscle = means[Tissue.MUSCLE]
    for tissue, (mean, wanted) in means.items():
        assert mean / muscle[0] == pytest.approx(wanted / muscle[1], rel=0.05), tissue


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("contrast", CONTRASTS)
def test_cortex_is_at_noise_level(anatomy, renderings, contrast: Contrast, field: float):
    image = acquired(renderings[contrast, field], plan_of(contrast, field), anatomy.grid, Difficulty.STANDARD)
    cortex = image[anatomy.region(Tissue.CORTEX, 0.99, 5)] / 4  # grey levels for one standard deviation of noise
    assert cortex.size > 200
    assert cortex.mean() < 2  # noise alone has 1.25
