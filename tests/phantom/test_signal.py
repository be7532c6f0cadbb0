"""The signal equations against an independent calculation, and the order of tissues a radiologist expects."""

import numpy as np
import pytest

from toh_mri.core.study import Contrast
from toh_mri.phantom.protocol import sequence_of, volume_sequence
from toh_mri.phantom.signal import (
    fat_shift_hz,
    fat_signal,
    in_phase_echo_ms,
    nulling_time_ms,
    water_signal,
)
from toh_mri.phantom.tissues import EXTRA_DECAY_PER_S, FAT_NEAR_WATER, FAT_T1_MS, FAT_T2_MS, Tissue

FIELDS = (1.5, 3.0)
SPIN_ECHOES = [contrast for contrast in Contrast if contrast is not Contrast.OTHER]
SUPPRESSED = (Contrast.STIR, Contrast.T2FS, Contrast.PDFS)


def bloch_recovery(t1: float, tr: float, ti: float | None) -> float:
    """Longitudinal magnetisation before the readout, by stepping time until it repeats."""
    mz = 0.0
    for _ in range(200):
        if ti is None:
            mz = 1 - (1 - 0.0) * np.exp(-tr / t1)
        else:
            mz = 1 - np.exp(-(tr - ti) / t1)  # from the 90 degree pulse to the next inversion
            mz = 1 - (1 + mz) * np.exp(-ti / t1)
    return mz


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("contrast", SPIN_ECHOES)
@pytest.mark.parametrize("tissue", list(Tissue))
def test_signal_is_what_stepping_the_magnetisation_gives(tissue: Tissue, contrast: Contrast, field: float) -> None:
    sequence = sequence_of(contrast, field)
    pick = FIELDS.index(field)
    made_of = tissue.value
    tr, te, ti = sequence.repetition_time_ms, sequence.echo_time_ms, sequence.inversion_time_ms
    water = made_of.water * bloch_recovery(made_of.t1_ms[pick], tr, ti) * np.exp(-te / made_of.t2_ms[pick])
    fat = made_of.fat * bloch_recovery(FAT_T1_MS[field], tr, ti) * np.exp(-te / FAT_T2_MS[field])
    assert water_signal(tissue, sequence) == pytest.approx(water, rel=1e-6, abs=1e-9)
    assert fat_signal(tissue, sequence) == pytest.approx(fat, rel=1e-6, abs=1e-9)


def spoiled_steady_state(t1: float, tr: float, flip_degree: float) -> float:
    """Transverse magnetisation after an excitation, by repeating excitation, spoiling and recovery."""
    flip, mz = np.radians(flip_degree), 1.0
    for _ in range(3000):
        mz = 1 - (1 - mz * np.cos(flip)) * np.exp(-tr / t1)
    return mz * np.sin(flip)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("tissue", [Tissue.MUSCLE, Tissue.FLUID, Tissue.YELLOW_MARROW, Tissue.EDEMA])
def test_gradient_echo_is_what_repeating_the_excitation_gives(tissue: Tissue, field: float) -> None:
    sequence = volume_sequence(field)
    made_of, pick = tissue.value, FIELDS.index(field)
    tr, te = sequence.repetition_time_ms, sequence.echo_time_ms

    def pool(t1: float, t2: float) -> float:
        t2_star = 1 / (1 / t2 + EXTRA_DECAY_PER_S[field] / 1000)
        return spoiled_steady_state(t1, tr, sequence.flip_angle_degree) * np.exp(-te / t2_star)

    assert water_signal(tissue, sequence) == pytest.approx(
        made_of.water * pool(made_of.t1_ms[pick], made_of.t2_ms[pick]), rel=1e-6
    )
    assert fat_signal(tissue, sequence) == pytest.approx(made_of.fat * pool(FAT_T1_MS[field], FAT_T2_MS[field]))


@pytest.mark.parametrize("field", FIELDS)
def test_gradient_echo_is_t1_weighted_and_in_phase(field: float) -> None:
    sequence = volume_sequence(field)
    turns = fat_shift_hz(field) * sequence.echo_time_ms / 1000
    assert turns == pytest.approx(1, abs=0.01)
    assert in_phase_echo_ms(1.5) == pytest.approx(2 * in_phase_echo_ms(3.0)) == pytest.approx(4.47, abs=0.01)
    muscle_t1 = Tissue.MUSCLE.value.t1_ms[FIELDS.index(field)]
    ernst_degree = np.degrees(np.arccos(np.exp(-sequence.repetition_time_ms / muscle_t1)))
    assert sequence.flip_angle_degree > ernst_degree
    whole = [water_signal(t, sequence) + fat_signal(t, sequence) for t in (Tissue.YELLOW_MARROW, Tissue.EDEMA)]
    assert whole[0] > whole[1] > water_signal(Tissue.MUSCLE, sequence) > water_signal(Tissue.FLUID, sequence)


@pytest.mark.parametrize("field", FIELDS)
def test_fat_is_nulled_at_its_nulling_time(field: float) -> None:
    assert bloch_recovery(FAT_T1_MS[field], 4500.0, nulling_time_ms(field, 4500.0)) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("field", FIELDS)
def test_what_inversion_leaves_of_fat_adds_to_the_water_of_the_same_tissue(field: float) -> None:
    stir = sequence_of(Contrast.STIR, field)
    for tissue in (Tissue.YELLOW_MARROW, Tissue.SUBCUTANEOUS_FAT, Tissue.RED_MARROW):
        assert fat_signal(tissue, stir) < 0
        assert water_signal(tissue, stir) < 0
    muscle = water_signal(Tissue.MUSCLE, stir)
    marrow, skin = (
        (water_signal(tissue, stir) + fat_signal(tissue, stir)) / muscle
        for tissue in (Tissue.YELLOW_MARROW, Tissue.SUBCUTANEOUS_FAT)
    )
    assert marrow == pytest.approx(0.15, abs=0.04)
    assert 0.04 < skin < 0.1


def brightness(tissue: Tissue, contrast: Contrast, field: float) -> float:
    """Magnitude over muscle; of fat, what a perfect suppression leaves."""
    sequence = sequence_of(contrast, field)
    left = FAT_NEAR_WATER if sequence.spectral_fat_suppression else 1.0
    total = water_signal(tissue, sequence) + left * fat_signal(tissue, sequence)
    return abs(total) / abs(water_signal(Tissue.MUSCLE, sequence))


@pytest.mark.parametrize("field", FIELDS)
def test_order_of_tissues_on_t1(field: float) -> None:
    order = [
        *(Tissue.SUBCUTANEOUS_FAT, Tissue.YELLOW_MARROW, Tissue.RED_MARROW, Tissue.EDEMA, Tissue.MUSCLE),
        *(Tissue.SCLEROSIS, Tissue.CORTEX),
    ]
    values = [brightness(tissue, Contrast.T1, field) for tissue in order]
    assert values == sorted(values, reverse=True)
    assert 1.9 < brightness(Tissue.YELLOW_MARROW, Contrast.T1, field) < 3.8  # published two-pool estimates +- 30 %
    assert brightness(Tissue.FLUID, Contrast.T1, field) < 1


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("contrast", SUPPRESSED)
def test_order_of_tissues_where_fat_is_suppressed(contrast: Contrast, field: float) -> None:
    order = [
        *(Tissue.FLUID, Tissue.EDEMA, Tissue.RED_MARROW, Tissue.YELLOW_MARROW),
        *(Tissue.SUBCUTANEOUS_FAT, Tissue.CORTEX),
    ]
    values = [brightness(tissue, contrast, field) for tissue in order]
    assert values == sorted(values, reverse=True)
    assert brightness(Tissue.EDEMA, contrast, field) > 1.4
    assert brightness(Tissue.SCLEROSIS, contrast, field) < 0.35
    assert brightness(Tissue.GRANULATION, contrast, field) > 1.5
