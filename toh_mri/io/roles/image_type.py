"""Values of ImageType (DICOM PS3.3 C.8.3.1.1.1, C.8.13.3.1.1, and what vendors add) that rule a series out."""

from __future__ import annotations

PHASE = frozenset(
    {"P", "PHASE", "PHASE MAP", "PHASE_MAP", "FIELD_MAP", "FIELD MAP", "FIELDMAP", "B0", "B0 MAP", "B0_MAP",
     "VELOCITY", "R", "REAL", "I", "IMAGINARY"}
)  # fmt: skip
MAPS = frozenset(
    {"ADC", "EADC", "FA", "TRACEW", "T1 MAP", "T2 MAP", "T1_MAP", "T2_MAP", "T2_STAR_MAP", "R2_MAP", "R2_STAR_MAP",
     "MAP", "QMAP", "TTP", "CBV", "CBF", "MTT", "PBP", "FAT_FRACTION", "WATER_FRACTION", "FF"}
)  # fmt: skip
SUBTRACTIONS = frozenset({"SUB", "SUBTRACTION"})
REFORMATTED = frozenset(
    {"MPR", "CSA MPR", "CSA MPR THICK", "CURVED_MPR", "REFORMATTED", "RESAMPLED", "CSA RESAMPLED", "CSA 3D EDITOR",
     "PROJECTION IMAGE", "PJN", "MIP", "HD MIP", "CSA MIP", "CSA MIP THIN", "MIP_COR", "MIP_SAG", "MIP_TRA",
     "MAX_IP", "MAX IP", "MIN_IP", "MIN IP", "MNIP",
     "VOLUME_RENDER", "VOLUME_RENDERING", "VOLREND", "SURFACE_RENDER"}
)  # fmt: skip
PICTURES = frozenset({"SCREEN SAVE", "SCREENSAVE", "CSA REPORT", "CSA BLACK IMAGE", "REPORT"})
DIXON_PARTS = frozenset(
    {"W", "WATER", "F", "FAT", "IP", "IN_PHASE", "INPHASE", "OP", "OPP_PHASE", "OUT_PHASE", "OPPOSED", "OUT_OF_PHASE"}
)  # fmt: skip
LAYOUTS = frozenset({"LOCALIZER", "MOSAIC"})
TELLING = PHASE | MAPS | SUBTRACTIONS | REFORMATTED | PICTURES | DIXON_PARTS | LAYOUTS
