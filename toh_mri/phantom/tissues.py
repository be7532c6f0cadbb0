"""What tissues are made of, as far as the signal goes: a water pool and a fat pool.

Relaxation times of muscle, cartilage, fluid and fat: Gold 2004, AJR 183:343 (1.5 and 3 T). The rest, and all
pool weights, are the author's estimates, chosen so that the ratios to muscle have the order seen in patients.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

FAT_T1_MS = {1.5: 288.0, 3.0: 368.0}
"""T1 of fat: one value for marrow and subcutaneous fat, which Gold 2004 puts at 365 and 371 ms at 3 T."""

FAT_T2_MS = {1.5: 165.0, 3.0: 133.0}

FAT_NEAR_WATER = 0.047
"""Share of fat's signal that resonates beside water (olefinic protons, 5.3 ppm): neither shifted nor suppressed with
the rest. Hamilton 2011, NMR Biomed 24:784, doi:10.1002/nbm.1622, of liver fat. Its 8.6 % that overlie water's peak
include glycerol (4.2 ppm), which counts with the main peak here."""

EXTRA_DECAY_PER_S = {1.5: 20.0, 3.0: 40.0}
"""Decay that gradient echoes add to that of T2, 1/T2* - 1/T2: the author's estimate, the same for every tissue."""


@dataclass(frozen=True)
class Composition:
    """Weights (fluid = 1) of both pools and the water's relaxation times in ms at 1.5 and 3 T."""

    water: float
    fat: float
    t1_ms: tuple[float, float]
    t2_ms: tuple[float, float]


class Tissue(Enum):
    """The tissues of the phantom."""

    AIR = Composition(0.0, 0.0, (1000, 1000), (30, 30))
    SKIN = Composition(0.45, 0.05, (900, 1050), (30, 28))
    SUBCUTANEOUS_FAT = Composition(0.03, 0.94, (1000, 1150), (40, 40))
    DEEP_FAT = Composition(0.07, 0.88, (1000, 1150), (40, 40))
    SEPTUM = Composition(0.25, 0.45, (900, 1050), (25, 22))
    FASCIA = Composition(0.18, 0.10, (900, 1050), (15, 14))
    MUSCLE = Composition(0.80, 0.0, (1130, 1420), (35, 32))
    TENDON = Composition(0.15, 0.04, (900, 1050), (10, 9))
    CAPSULE = Composition(0.35, 0.03, (950, 1100), (24, 22))
    LABRUM = Composition(0.22, 0.02, (950, 1100), (14, 13))
    CARTILAGE = Composition(0.75, 0.0, (1060, 1240), (42, 37))
    SYNOVIUM = Composition(0.85, 0.03, (1150, 1350), (70, 65))
    FLUID = Composition(1.0, 0.0, (2850, 3620), (1210, 767))
    URINE = Composition(1.0, 0.0, (3200, 4000), (600, 450))
    BOWEL_WALL = Composition(0.75, 0.05, (1000, 1200), (55, 50))
    BOWEL_PULP = Composition(0.65, 0.15, (700, 850), (60, 55))
    BLOOD_FAST = Composition(0.04, 0.0, (1440, 1930), (200, 150))
    BLOOD_SLOW = Composition(0.40, 0.0, (1440, 1930), (150, 110))
    DISC = Composition(0.60, 0.0, (1000, 1150), (55, 50))
    CORTEX = Composition(0.02, 0.01, (1000, 1000), (10, 10))
    YELLOW_MARROW = Composition(0.10, 0.85, (1000, 1150), (45, 42))
    RED_MARROW = Composition(0.52, 0.43, (1000, 1150), (45, 42))
    EDEMA = Composition(0.76, 0.19, (1250, 1450), (75, 70))
    SCLEROSIS = Composition(0.15, 0.08, (1000, 1150), (30, 28))
    MUMMIFIED_FAT = Composition(0.08, 0.82, (1000, 1150), (45, 42))
    DEBRIS = Composition(0.42, 0.30, (1000, 1150), (38, 36))
    GRANULATION = Composition(0.80, 0.10, (1200, 1400), (90, 80))
    INFILTRATE = Composition(0.72, 0.05, (1000, 1200), (55, 50))
