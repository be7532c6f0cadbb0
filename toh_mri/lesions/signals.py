"""What marrow and fluid look like beside muscle, by contrast."""

from __future__ import annotations

from dataclasses import dataclass

from toh_mri.core.study import Contrast


@dataclass(frozen=True)
class MarrowSignal:
    """Signal over muscle of one fluid-sensitive contrast.

    Computed with a two-pool (fat, water) spin-echo model from the relaxation times of Gold 2004
    (AJR 183:343, 10.2214/ajr.183.2.1830343); mean of 1.5 T and 3 T, trust about +-30 %.

    Attributes
    ----------
    red : float
        Haematopoietic marrow: the brightest that healthy marrow gets.
    edema_rise : float
        Gained by marrow wholly replaced by edema, over fatty marrow.
    fluid_cut : float
        Half way between wholly edematous marrow and joint fluid.
    fluid_alone : bool
        Fluid is so much brighter than edema that the cut decides without T1.
    """

    red: float
    edema_rise: float
    fluid_cut: float
    fluid_alone: bool


_SIGNALS = {
    Contrast.STIR: MarrowSignal(red=0.75, edema_rise=2.5, fluid_cut=3.4, fluid_alone=True),
    Contrast.T2FS: MarrowSignal(red=1.10, edema_rise=3.2, fluid_cut=4.7, fluid_alone=True),
    Contrast.PDFS: MarrowSignal(red=0.90, edema_rise=1.85, fluid_cut=2.15, fluid_alone=False),
}
_SIGNALS[Contrast.DIXON_WATER] = _SIGNALS[Contrast.PDFS]  # weighted alike: a water image of a PD or T2 TSE

T1_FALL = 0.58
"""Share of its T1 signal that fatty marrow loses when edema wholly replaces it (same model)."""

T1_FLUID = 0.9
"""T1 signal over muscle below which marrow holds fluid or no fat (same model: fluid 0.7, edema over 1.1)."""


def marrow_signal(contrast: Contrast) -> MarrowSignal:
    """Return the expected signals of a fluid-sensitive contrast."""
    return _SIGNALS[contrast]
