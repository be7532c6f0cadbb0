"""What scanners write beside an image: names of series and sequences, and the tags that tell them apart.

Three ways of naming, in the manner of large makers. `Manufacturer` is "Phantom" in all of them, and no private tag
is written.
"""

from __future__ import annotations

from dataclasses import dataclass

from toh_mri.core.study import Contrast
from toh_mri.phantom.protocol import PREFIX, Dialect, SeriesPlan
from toh_mri.phantom.signal import Sequence

_NAMES = {
    Dialect.UNDERSCORE: {
        Contrast.T1: "t1_tse",
        Contrast.STIR: "stir",
        Contrast.T2FS: "t2_tse_fs",
        Contrast.PDFS: "pd_tse_fs",
        Contrast.T2: "t2_tse",
        Contrast.PD: "pd_tse",
        Contrast.DIXON_WATER: "t2_tse_dixon_W",
        Contrast.DIXON_FAT: "t2_tse_dixon_F",
    },
    Dialect.CAPITALS: {
        Contrast.T1: "T1 FSE",
        Contrast.STIR: "STIR",
        Contrast.T2FS: "T2 FSE FS",
        Contrast.PDFS: "PD FSE FS",
        Contrast.T2: "T2 FSE",
        Contrast.PD: "PD FSE",
        Contrast.DIXON_WATER: "WATER: T2 FLEX",
        Contrast.DIXON_FAT: "FAT: T2 FLEX",
    },
    Dialect.WEIGHTED: {
        Contrast.T1: "T1W_TSE",
        Contrast.STIR: "STIR_TSE",
        Contrast.T2FS: "T2W_SPAIR",
        Contrast.PDFS: "PDW_SPAIR",
        Contrast.T2: "T2W_TSE",
        Contrast.PD: "PDW_TSE",
        Contrast.DIXON_WATER: "T2W_mDIXON_W",
        Contrast.DIXON_FAT: "T2W_mDIXON_F",
    },
}
_VOLUME_NAMES = {Dialect.UNDERSCORE: "t1_vibe", Dialect.CAPITALS: "3D T1 SPGR", Dialect.WEIGHTED: "T1W_3D_FFE"}
_PLAIN_KIND = {
    Dialect.UNDERSCORE: ("ORIGINAL", "PRIMARY", "M", "ND"),
    Dialect.CAPITALS: ("ORIGINAL", "PRIMARY", "OTHER"),
}
_DIXON_KIND = {
    Dialect.UNDERSCORE: ("DERIVED", "PRIMARY", "DIXON", "{part}"),
    Dialect.CAPITALS: ("DERIVED", "PRIMARY", "DIXON", "{part}"),
    Dialect.WEIGHTED: ("DERIVED", "PRIMARY", "{letter}", "{letter}", "DERIVED"),
}
_OPTIONS = {Dialect.UNDERSCORE: ("PFP",), Dialect.CAPITALS: ("FAST_GEMS", "SEQ_GEMS", "PFF"), Dialect.WEIGHTED: ("FC",)}


@dataclass(frozen=True)
class Header:
    """Values of the DICOM attributes of these names."""

    series_description: str
    sequence_name: str
    scanning_sequence: str
    sequence_variant: tuple[str, ...]
    scan_options: tuple[str, ...]
    image_type: tuple[str, ...]
    acquisition_type: str


def header(plan: SeriesPlan) -> Header:
    """Return how a scanner describes a series."""
    sequence, dialect = plan.sequence, plan.dialect
    return Header(
        series_description=_description(plan),
        sequence_name=_sequence_name(sequence, dialect),
        scanning_sequence=_scanning_sequence(sequence),
        sequence_variant=("SS", "SP") if sequence.is_volume else ("SK",),
        scan_options=(*_OPTIONS[dialect], *(("FS",) if sequence.spectral_fat_suppression else ())),
        image_type=_image_type(sequence, dialect),
        acquisition_type="3D" if sequence.is_volume else "2D",
    )


def _description(plan: SeriesPlan) -> str:
    sequence, dialect = plan.sequence, plan.dialect
    name = _VOLUME_NAMES[dialect] if sequence.is_volume else _NAMES[dialect][sequence.contrast]
    plane = PREFIX[plan.plane] + ("" if not any(plan.tilt_degree) else " OBL")
    if dialect is Dialect.UNDERSCORE:
        return f"{name}_{plane.lower().replace(' ', '_')}"
    if dialect is Dialect.CAPITALS:
        part, _, rest = name.rpartition(": ")
        return f"{part}: {plane} {rest}" if part else f"{plane} {name}"
    return f"{name}_{plane.replace(' ', '_')}"


def _sequence_name(sequence: Sequence, dialect: Dialect) -> str:
    echoes = sequence.echo_train_length
    if dialect is Dialect.UNDERSCORE:
        if sequence.is_volume:
            return "*fl3d1"
        return f"*{'tir' if sequence.inversion_time_ms else 'tse'}2d1_{echoes}"
    if dialect is Dialect.CAPITALS:
        return "fgre" if sequence.is_volume else "fse"
    return "T1FFE" if sequence.is_volume else ("TIR" if sequence.inversion_time_ms else "TSE")


def _scanning_sequence(sequence: Sequence) -> str:
    """Return DICOM's word: SE, IR where there is an inversion pulse, GR for a gradient echo."""
    return sequence.technique.value if sequence.inversion_time_ms is None else "IR"


def _image_type(sequence: Sequence, dialect: Dialect) -> tuple[str, ...]:
    if sequence.is_dixon:
        part = "WATER" if sequence.contrast is Contrast.DIXON_WATER else "FAT"
        return tuple(word.format(part=part, letter=part[0]) for word in _DIXON_KIND[dialect])
    if dialect is Dialect.WEIGHTED:
        kind = "FFE" if sequence.is_volume else ("IR" if sequence.inversion_time_ms else "SE")
        return ("ORIGINAL", "PRIMARY", f"M_{kind}", "M", kind)
    return _PLAIN_KIND[dialect]
