# ruff: noqa: RUF001
"""Roles: parameters first, words second, every choice with its reasons."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toh_mri.core.config import Config
from toh_mri.core.config.io import IoConfig
from toh_mri.core.errors import ConfigError
from toh_mri.core.study import Acquisition, Contrast, SlicePlane
from toh_mri.io.roles.assign import assign_role, plane_of

CONFIG = IoConfig()
T1, T2, PD, STIR = Contrast.T1, Contrast.T2, Contrast.PD, Contrast.STIR
T2FS, PDFS, OTHER = Contrast.T2FS, Contrast.PDFS, Contrast.OTHER
WATER, FAT = Contrast.DIXON_WATER, Contrast.DIXON_FAT


def role(words="", config=CONFIG, **parameters):
    return assign_role(Acquisition(**parameters), SlicePlane.CORONAL, words, config)


def spin_echo(tr, te, *options, **more):
    return {
        "repetition_time_ms": tr,
        "echo_time_ms": te,
        "scanning_sequence": ("SE",),
        "scan_options": options,
        **more,
    }


def inversion(tr, te, ti, *options, **more):
    return spin_echo(tr, te, *options, inversion_time_ms=ti) | {"scanning_sequence": ("SE", "IR")} | more


def gradient_echo(tr, te, flip, *options, **more):
    return spin_echo(tr, te, *options, flip_angle_degree=flip) | {"scanning_sequence": ("GR",)} | more


def image(*values):
    return ("ORIGINAL", "PRIMARY", *values)


ESAOTE_GRADIENT_STIR = gradient_echo(1200, 14, 90, inversion_time_ms=75.0, scanning_sequence=("GR", "IR"))

# TR, TE, TI and codes as protocols of that vendor have them; no words.
PARAMETERS = {
    "T1 turbo spin echo": (spin_echo(600, 10), T1),
    "T1 at 3 T, long TR": (spin_echo(980, 12), T1),
    "T1, GE pelvis": (spin_echo(824, 8.2, "FAST_GEMS", "EDR_GEMS", "ACC_GEMS"), T1),
    "T1, GE with spatial saturation": (spin_echo(675, 7.5, "SAT_GEMS", "FAST_GEMS"), T1),
    "T1, GE with a readout direction": (spin_echo(675, 7.5, "FAST_GEMS", "FSS_GEMS"), T1),
    "T1 at 0.25 T": (spin_echo(700, 18), T1),
    "T1 of many slices": (spin_echo(1200, 12), T1),
    "T1 after contrast agent": (spin_echo(600, 10, contrast_agent=True), T1),
    "T1 fat suppressed": (spin_echo(600, 10, "FS"), OTHER),
    "T1 fat suppressed, GE": (spin_echo(650, 9, "FAST_GEMS", "FS"), OTHER),
    "PD FS": (spin_echo(3000, 35, "FS"), PDFS),
    "PD FS, GE": (spin_echo(3000, 35, "FAST_GEMS", "FS"), PDFS),
    "PD with spectral inversion": (spin_echo(3200, 30, "FS", inversion_time_ms=120.0), PDFS),
    "PD, water excitation": (spin_echo(2800, 15, "WE"), PDFS),
    "PD": (spin_echo(3000, 20), PD),
    "PD of a dual echo": (spin_echo(2200, 15), PD),
    "intermediate weighting FS": (spin_echo(3600, 45, "FS"), PDFS),
    "T2 FS": (spin_echo(4000, 70, "FS"), T2FS),
    "T2 with spectral inversion": (spin_echo(4000, 70, "FS", inversion_time_ms=150.0), T2FS),
    "T2": (spin_echo(4000, 70), T2),
    "T2, GE frFSE": (spin_echo(7517, 117, "FAST_GEMS", "TRF_GEMS"), T2),
    "T2, volume": (spin_echo(1500, 180), T2),
    "T2, no sequence given": ({"repetition_time_ms": 4000, "echo_time_ms": 90}, T2),
    "hydrography": (spin_echo(6000, 394), OTHER),
    "STIR at 1.5 T": (inversion(4000, 40, 150), STIR),
    "STIR at 3 T": (inversion(4200, 38, 220), STIR),
    "STIR at 0.25 T": (inversion(1400, 24, 75), STIR),
    "STIR, long TE": (inversion(5500, 85, 160), STIR),
    "STIR, IR only": (spin_echo(4000, 40, inversion_time_ms=220.0) | {"scanning_sequence": ("IR",)}, STIR),
    "STIR, IR in ScanOptions": (spin_echo(4000, 40, "IR", inversion_time_ms=150.0), STIR),
    "STIR, IR and FS": (inversion(4000, 40, 150, "FS"), STIR),
    "STIR, no IR flag": (spin_echo(4500, 45, inversion_time_ms=160.0), STIR),
    "STIR, no sequence given": ({"repetition_time_ms": 4500, "echo_time_ms": 45, "inversion_time_ms": 160.0}, STIR),
    "STIR, no inversion time": (inversion(3862, 27, None), STIR),
    "STIR, Canon": (spin_echo(4000, 60, inversion_time_ms=180.0) | {"scanning_sequence": ("IRFSE",)}, STIR),
    "STIR, Philips ImageType": (
        spin_echo(3500, 60, image_type=image("M_IR", "M", "IR"), inversion_time_ms=165.0),
        STIR,
    ),
    "STIR, gradient echo, Esaote": (ESAOTE_GRADIENT_STIR, STIR),
    "FLAIR": (inversion(9000, 90, 2500), OTHER),
    "FLAIR without inversion time": (inversion(9000, 120, None), OTHER),
    "T1 inversion recovery": (inversion(2000, 12, 800), T1),
    "T2 FLAIR, GE code": (spin_echo(8000, 120, "T2FLAIR_GEMS"), OTHER),
    "gradient echo T1": (gradient_echo(300, 2.4, 70), T1),
    "gradient echo T1, volume": (gradient_echo(4.2, 1.8, 12), T1),
    "VIBE with fat suppression": (gradient_echo(4.2, 1.8, 12, "FS"), OTHER),
    "VIBE, water excitation": (gradient_echo(9.0, 4.0, 12, "WE"), OTHER),
    "volume with a prepared fat inversion": (gradient_echo(5.0, 2.2, 12, "FS", inversion_time_ms=100.0), OTHER),
    "gradient echo T2*": (gradient_echo(600, 20, 30), OTHER),
    "gradient echo, small flip angle": (gradient_echo(500, 5, 15), OTHER),
    "steady state": (gradient_echo(4.5, 2.1, 60, sequence_variant=("SS",)), OTHER),
    "time-reversed steady state": (gradient_echo(12, 5, 40, sequence_variant=("TRSS", "SS")), OTHER),
    "field echo, Canon": (spin_echo(600, 12, flip_angle_degree=30) | {"scanning_sequence": ("FE",)}, OTHER),
    "volume, no sequence given": ({"repetition_time_ms": 5.0, "echo_time_ms": 2.0, "flip_angle_degree": 12.0}, T1),
    "fast field echo, research mode, Philips": (
        gradient_echo(3.8, 1.5, 12, sequence_variant=("SS",), scanning_sequence=("RM",)),
        OTHER,
    ),
    "echo planar": (spin_echo(5000, 70, "FS") | {"scanning_sequence": ("EP", "SE")}, OTHER),
    "Dixon water": (spin_echo(4000, 70, image_type=("DERIVED", "PRIMARY", "DIXON", "WATER")), WATER),
    "Dixon water, Philips": (spin_echo(3500, 60, image_type=image("W", "W", "DERIVED")), WATER),
    "Dixon water of a T1": (spin_echo(600, 10, image_type=("DERIVED", "PRIMARY", "DIXON", "WATER")), OTHER),
    "Dixon water of a VIBE": (gradient_echo(6, 2.4, 9, image_type=image("DIXON", "WATER")), OTHER),
    "Dixon fat": (spin_echo(4000, 70, image_type=("DERIVED", "PRIMARY", "DIXON", "FAT")), FAT),
    "Dixon fat of a T1": (spin_echo(600, 10, image_type=image("DIXON", "FAT")), FAT),
    "Dixon opposed": (spin_echo(600, 10, image_type=image("DIXON", "OPP_PHASE")), OTHER),
    "Dixon opposed, Philips": (spin_echo(3500, 60, image_type=image("OP", "OP")), OTHER),
    "Dixon in phase T1": (spin_echo(600, 10, image_type=image("DIXON", "IN_PHASE")), T1),
    "Dixon in phase T2": (spin_echo(3500, 60, image_type=image("IP", "IP")), T2),
    "Dixon fat fraction": (spin_echo(3500, 60, image_type=("DERIVED", "PRIMARY", "DIXON", "FAT_FRACTION")), OTHER),
    "ADC map": (spin_echo(5000, 70, image_type=("DERIVED", "PRIMARY", "DIFFUSION", "ADC")), OTHER),
    "subtraction": (spin_echo(600, 10, image_type=("DERIVED", "PRIMARY", "SUB")), OTHER),
    "reformatted": (spin_echo(600, 10, image_type=("DERIVED", "SECONDARY", "MPR")), OTHER),
    "T2*, enhanced": (gradient_echo(600, 7, 70, image_type=image("T2_STAR", "NONE")), OTHER),
    "too little said": ({"repetition_time_ms": 3000.0}, OTHER),
}  # fmt: skip

# Parameters and words as they come together; what one of them leaves open, the other says.
TOGETHER = {
    "Siemens T1": ("t1_tse_cor *tse2d1_3", spin_echo(650, 11, "SAT1"), T1),
    "Siemens TIRM": ("t2_tirm_cor_320_3mm_pat2 *tir2d1_11", inversion(5000, 70, 160, "IR"), STIR),
    "Siemens TIRM written SE": ("t2_tirm_cor *tir2d1_11", spin_echo(4870, 68), STIR),
    "Siemens PD FS": ("pd_tse_fs_tra *tse2d1_7", spin_echo(3000, 38, "FS"), PDFS),
    "Siemens FS left out": ("pd_tse_fs_tra *tse2d1_7", spin_echo(3000, 38, "PFP"), PDFS),
    "Siemens T2 FS left out": ("t2_tse_fs_cor", spin_echo(4000, 70), T2FS),
    "Siemens T2 beside its sequence name": ("cor t2 *tse2d1_15", spin_echo(4000, 90), T2),
    "Siemens PD by name, T2 by echo time": ("pd_tse_fs_cor", spin_echo(3500, 60), PDFS),
    "Siemens PD by name, late echo": ("pd_tse_fs_cor", spin_echo(3500, 90), T2FS),
    "Siemens T2 by name, PD by echo time": ("t2_tse_fs_cor", spin_echo(3500, 45, "FS"), T2FS),
    "echo time between PD and T2": ("t2_tse_fs_cor", spin_echo(3500, 52), T2FS),
    "Siemens PD volume": ("pd_space_fs_cor_cs5_iso", spin_echo(1000, 33, "FS"), PDFS),
    "Siemens Dixon by name": ("t2_tse_dixon_cor_W", spin_echo(4000, 80), WATER),
    "Siemens Dixon, part not said": ("t2_tse_dixon_cor", spin_echo(4000, 80), OTHER),
    "Siemens Dixon, part in ImageType": (
        "t2_tse_dixon_cor",
        spin_echo(4000, 80, image_type=image("DIXON", "WATER")),
        WATER,
    ),
    "Siemens Dixon T1 water": ("t1_tse_dixon_cor_W", spin_echo(600, 11), OTHER),
    "Siemens MPRAGE-like reformat": ("t1_tse_cor_MPR", spin_echo(600, 11), OTHER),
    "Siemens DESS written SE": ("t2_de3d_we_cor_iso", spin_echo(14, 5, "WE"), OTHER),
    "Philips STIR": ("STIR_longTE", inversion(3500, 60, 165), STIR),
    "Philips STIR without TI and flag": ("STIR_TSE COR", spin_echo(3500, 60), STIR),
    "Philips SPAIR": ("PDW_SPAIR", spin_echo(3000, 30, "FS", inversion_time_ms=105.0), PDFS),
    "Philips SPAIR, FS left out": ("PDW_SPAIR", spin_echo(3000, 30), PDFS),
    "Philips SPAIR, FS left out, TI given": ("T2W_SPAIR", spin_echo(4000, 65, inversion_time_ms=105.0), T2FS),
    "Philips mDIXON": ("T2W_mDIXON_TSE", spin_echo(3500, 60, image_type=image("W", "W")), WATER),
    "Philips THRIVE": ("eTHRIVE", gradient_echo(3.4, 1.6, 10), OTHER),
    "Philips mFFE": ("3D_mFFE", gradient_echo(25, 6, 20), OTHER),
    "GE STIR": ("Ax FSE STIR", spin_echo(3862, 27, "FAST_GEMS", "EDR_GEMS"), STIR),
    "GE STIR with an FS option": ("COR STIR", spin_echo(4000, 45, "FAST_GEMS", "FS"), STIR),
    "GE STIR with ASSET": ("Ax T2 STIR ASSET", spin_echo(4500, 50), STIR),
    "GE Flex water": ("WATER: COR T2 FSE Flex", spin_echo(5124, 108, "FAST_GEMS", "FLEX_GEMS"), WATER),
    "GE Flex fat": ("FAT: COR T2 FSE Flex", spin_echo(5124, 108, "FAST_GEMS", "FLEX_GEMS"), FAT),
    "GE Flex in phase": ("InPhase: COR T2 FSE Flex", spin_echo(5124, 108, "FAST_GEMS", "FLEX_GEMS"), T2),
    "GE LAVA": ("Ax LAVA", gradient_echo(4, 1.9, 12, "FAST_GEMS"), OTHER),
    "GE T1 FLAIR": ("Ax T1 FLAIR", inversion(2300, 20, 780), OTHER),
    "Canon fat suppression in words": ("FSE2D T2 fs", spin_echo(4000, 75), T2FS),
    "UIH": ("t2_fse_cor_fs", spin_echo(3500, 70, "FS"), T2FS),
    "UIH STIR": ("stir_fse_cor", inversion(3800, 40, 210), STIR),
    "Hitachi FIR": ("FIR COR", spin_echo(2500, 25, inversion_time_ms=90.0), STIR),
    "Esaote STIR, low field": ("STIR T2", spin_echo(1400, 24), STIR),
    "Esaote gradient-echo STIR": ("GE STIR", ESAOTE_GRADIENT_STIR, STIR),
    "low-field PD": ("PD SE", spin_echo(1400, 24), PD),
    "low-field T2 FS of short TR": ("T2 fs", spin_echo(1400, 24), PDFS),
    "T1 of long TR by name": ("COR T1", spin_echo(1600, 15), T1),
    "French PD": ("DP FAT SAT COR", spin_echo(2800, 32), PDFS),
    "Turkish T2": ("T2 yağ baskılı koronal", spin_echo(3800, 80), T2FS),
    "Chinese T2": ("冠状T2压脂", spin_echo(3800, 80), T2FS),
    "Russian, no fat suppression": ("T2 без жироподавления", spin_echo(3800, 80), T2),
    "no fat suppression in words, but in ScanOptions": ("T2 no fs", spin_echo(3800, 80, "FS"), T2FS),
    "words without a weighting": ("COR fat sat", spin_echo(3800, 80), T2FS),
    "inversion by parameters, other name": ("COR T2 fs", inversion(4000, 45, 150), STIR),
    "T1 said to be FS": ("t1_tse_fs_tra", spin_echo(650, 11), OTHER),
    "T1 after contrast agent, fat not suppressed": ("t1_tse_cor nach KM", spin_echo(650, 11), T1),
    "useless words": ("series 7", spin_echo(4000, 45, "FS"), PDFS),
}  # fmt: skip


@pytest.mark.parametrize(
    "kinds",
    [
        ("REFORMATTED", "AVERAGE"),
        ("REFORMATTED", "MIN IP"),
        ("MAX IP",),
        ("RESAMPLED",),
        ("POSDISP", "M", "ND", "NORM", "CSA RESAMPLED"),
        ("MPR", "CSA MPR THICK", "M"),
        ("OTHER", "CSA MIP THIN", "M", "ND"),
        ("PJN", "HD MIP"),
        ("MIP_COR", "DIS2D"),
        ("MNIP", "NORM"),
        ("VOLREND",),
        ("VOLUME_RENDERING",),
    ],
)
def test_reformatted_copies_are_not_taken_for_what_they_were_made_of(kinds):
    for first in (("DERIVED", "SECONDARY"), ("DERIVED", "PRIMARY")):
        found = role("t1_tse_cor", **spin_echo(600, 10, image_type=(*first, *kinds)))
        assert found.contrast is OTHER
        assert "reformatted" in found.reasons[0]


@pytest.mark.parametrize("kinds", [("M", "NORM", "DIS2D"), ("VOLUME", "NONE"), ("M", "DIS2D", "COMP_SP", "COMPOSED")])
def test_ordinary_image_types_say_nothing(kinds):
    assert role(**spin_echo(600, 10, image_type=image(*kinds))).contrast is T1


@pytest.mark.parametrize(("parameters", "expected"), PARAMETERS.values(), ids=PARAMETERS)
def test_parameters_alone(parameters, expected):
    assert role(**parameters).contrast is expected


@pytest.mark.parametrize(("words", "parameters", "expected"), TOGETHER.values(), ids=TOGETHER)
def test_parameters_and_words(words, parameters, expected):
    assert role(words, **parameters).contrast is expected


@pytest.mark.parametrize(
    ("words", "parameters", "expected"),
    [
        ("t2_tse_fs", spin_echo(600, 10), T1),
        ("t1_tse_cor", spin_echo(4000, 90), T2),
        ("t1_tse_fs_cor", spin_echo(4000, 90), T2),
        ("COR STIR", spin_echo(600, 10), T1),
        ("t1_tse_cor", inversion(4000, 40, 150), STIR),
        ("COR STIR", inversion(9000, 90, 2500), OTHER),
        ("t2_tse_fs", spin_echo(600, 10, "FS"), OTHER),
    ],
)
def test_parameters_outvote_a_wrong_name(words, parameters, expected):
    assert role(words, **parameters).contrast is expected


def test_a_contradiction_is_said_and_lowers_the_score():
    wrong, silent = role("t2_tse_fs", **spin_echo(600, 10)), role(**spin_echo(600, 10))
    assert wrong.score == pytest.approx(silent.score - 0.1)
    assert wrong.reasons == (
        "TR 600 ms and TE 10 ms: T1, fat-suppressed T1 (+0.5)",
        "Its description or file name contradicts that and is not counted: T1, fat-suppressed T1 (-0.1)",
        "Nothing names fat suppression: T1 (+0.15)",
    )


def test_agreement_scores_higher_than_either_alone():
    parameters = spin_echo(4000, 70, "FS")
    both, measured, named = role("t2_tse_fs", **parameters), role(**parameters), role("t2_tse_fs")
    assert {r.contrast for r in (both, measured, named)} == {T2FS}
    assert both.score > max(measured.score, named.score)


def test_fat_suppression_left_open_scores_lower_than_named():
    assert role(**spin_echo(4000, 70)).score < role("t2 fs", **spin_echo(4000, 70)).score


def test_fat_suppressed_t1_says_why_it_is_not_used():
    assert "enhancement, not edema" in role(**spin_echo(600, 10, "FS")).reasons[-1]


def test_contrast_agent_lowers_the_score():
    before, after = role(**spin_echo(600, 10)), role(**spin_echo(600, 10, contrast_agent=True))
    assert after.score == pytest.approx(before.score - 0.1)
    assert role("t1 km", **spin_echo(600, 10)).score < role("t1", **spin_echo(600, 10)).score


def test_nothing_known_is_other_and_says_so():
    unknown = role("series 7")
    assert (unknown.contrast, unknown.score) == (Contrast.OTHER, 0.0)
    assert "Neither" in unknown.reasons[0]
    strict = role("COR_T1", IoConfig(minimum_role_score=0.9))
    assert strict.contrast is Contrast.OTHER
    assert "less than the 0.9" in strict.reasons[-1]


def test_the_configuration_overrides_everything():
    config = IoConfig(roles={"knochen*dunkel": "STIR"})
    forced = role("Knochen ist dunkel", config, **spin_echo(600, 10))
    assert (forced.contrast, forced.score) == (Contrast.STIR, 1.0)
    assert role("other", config, **spin_echo(600, 10)).contrast is Contrast.T1
    with pytest.raises(ConfigError, match="config_invalid"):
        Config.from_mapping({"io": {"roles": {"x": "T3"}}})


@given(
    name=st.text(st.characters(categories=("L",)), min_size=4, max_size=12),
    words=st.sampled_from(["t1", "T2 fs", "COR STIR", "dixon W", "flair", "b50 ADC", ""]),
    tr=st.sampled_from([None, 5.0, 600.0, 4000.0]),
    te=st.sampled_from([None, 2.0, 10.0, 70.0]),
)
def test_words_never_reach_the_reasons(name, words, tr, te):
    """Reasons are made of parameters and fixed sentences: with another name beside the words, they are the same."""
    marked = f"\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}{name}"
    said = role(f"{words} {marked}", repetition_time_ms=tr, echo_time_ms=te)
    assert 0.0 <= said.score <= 1.0
    assert marked not in " ".join(said.reasons)
    assert "\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}" not in " ".join(said.reasons)


def test_planes_are_the_nearest():
    assert plane_of((0.9, 0.3, 0.1)) is SlicePlane.SAGITTAL
    assert plane_of((0.1, -0.8, 0.5)) is SlicePlane.CORONAL
    assert plane_of((0.1, 0.5, -0.8)) is SlicePlane.AXIAL


@pytest.mark.parametrize("words", ["ADC map", "T2 map", "DWI b800", "ep2d_diff", "MIP"])
def test_a_map_by_name_is_none_the_less_for_the_parameters_of_its_source(words):
    """Maps and projections keep TR, TE and fat suppression of the images they were made of."""
    source = Acquisition(
        repetition_time_ms=4000, echo_time_ms=70, scanning_sequence=("SE",), scan_options=("FS",), image_type=()
    )
    assert assign_role(source, SlicePlane.CORONAL, words, IoConfig()).contrast is Contrast.OTHER
