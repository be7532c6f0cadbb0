"""The signal equations against an independent calculation, and the order of tissues a radiologist expects."""

import numpy as np
import pytest

from toh_mri.core.study import Contrast
from toh_mri.phantom.protocol import sequence_of
from toh_mri.phantom.signal import fat_signal, nulling_time_ms, water_signal
from toh_mri.phantom.tissues import FAT_T1_MS, FAT_T2_MS, Tissue

FIELDS = (1.5, 3.0)


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
@pytest.mark.parametrize("contrast", [Contrast.T1, Contrast.STIR, Contrast.T2FS, Contrast.PDFS])
@pytest.mark.parametrize("tissue", list(Tissue))
def test_signal_is_what_stepping_the_magnetisation_gives(tissue: Tissue, contrast: Contrast, field: float) -> None:
    sequence = sequence_of(contrast, field)
    pick = FIELDS.index(field)
    made_of = tissue.value
    tr, te, ti = sequence.repetition_time_ms, sequence.echo_time_ms, sequence.inversion_time_ms
    water = made_of.water * bloch_recovery(made_of.t1_ms[pick], tr, ti) * np.exp(-te / made_of.t2_ms[pick])
    fat = made_of.fat * bloch_recovery(FAT_T1_MS[field], tr, None) * np.exp(-te / FAT_T2_MS[field])
    assert water_signal(tissue, sequence) == pytest.approx(water, rel=1e-6, abs=1e-9)
    assert fat_signal(tissue, sequence) == pytest.approx(fat, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("field", FIELDS)
def test_fat_is_nulled_at_the_inversion_time_used(field: float) -> None:
    ti = nulling_time_ms(field, 4500.0)
    assert bloch_recovery(FAT_T1_MS[field], 4500.0, ti) == pytest.approx(0, abs=1e-9)
    assert sequence_of(Contrast.STIR, field).inversion_time_ms == pytest.approx(ti)


def brightness(tissue: Tissue, contrast: Contrast, field: float) -> float:
    """Magnitude over muscle; fat suppressed perfectly outside T1."""
    sequence = sequence_of(contrast, field)
    fat = fat_signal(tissue, sequence) if contrast is Contrast.T1 else 0.0
    return abs(water_signal(tissue, sequence) + fat) / abs(water_signal(Tissue.MUSCLE, sequence))


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
@pytest.mark.parametrize("contrast", [Contrast.STIR, Contrast.T2FS, Contrast.PDFS])
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
