"""Roles: parameters first, words second, every choice with its reasons."""

import json

import pytest

from toh_mri.core.config import Config
from toh_mri.core.config.io import IoConfig
from toh_mri.core.errors import ConfigError
from toh_mri.core.study import Acquisition, Contrast, SlicePlane
from toh_mri.io.body_part import coded_body_part, shows_no_hip
from toh_mri.io.role_words import contrast_in, names_a_localizer
from toh_mri.io.roles import assign_role, plane_of
from toh_mri.io.sidecar import read_sidecar

CONFIG = IoConfig()


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


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (spin_echo(600, 10), Contrast.T1),
        (spin_echo(600, 10, "FS"), Contrast.OTHER),
        (spin_echo(3000, 35, "FS"), Contrast.PDFS),
        (spin_echo(3000, 35, "FAST_GEMS", "FS"), Contrast.PDFS),
        (spin_echo(4000, 70, "FS"), Contrast.T2FS),
        (spin_echo(4000, 70), Contrast.T2),
        (spin_echo(3000, 20), Contrast.PD),
        (spin_echo(6000, 394), Contrast.OTHER),
        (
            spin_echo(4000, 40) | {"scanning_sequence": ("SE", "IR"), "inversion_time_ms": 150.0},
            Contrast.STIR,
        ),
        (spin_echo(4000, 40) | {"scanning_sequence": ("IR",), "inversion_time_ms": 220.0}, Contrast.STIR),
        (
            spin_echo(6000, 90) | {"scanning_sequence": ("SE", "IR"), "inversion_time_ms": 2200.0},
            Contrast.OTHER,
        ),
        (
            spin_echo(4000, 70, "FS", inversion_time_ms=150.0),
            Contrast.T2FS,
        ),  # SPAIR has an inversion time too
        ({"scanning_sequence": ("GR",), "echo_time_ms": 2.4, "repetition_time_ms": 300.0}, Contrast.T1),
        ({"scanning_sequence": ("GR",), "echo_time_ms": 2.4, "scan_options": ("FS",)}, Contrast.OTHER),
        ({"scanning_sequence": ("GR",), "echo_time_ms": 20.0, "repetition_time_ms": 600.0}, Contrast.OTHER),
        (spin_echo(4000, 70, image_type=("DERIVED", "PRIMARY", "DIXON", "WATER")), Contrast.DIXON_WATER),
        (spin_echo(600, 10, image_type=("DERIVED", "PRIMARY", "DIXON", "WATER")), Contrast.OTHER),
        (spin_echo(4000, 70, image_type=("DERIVED", "PRIMARY", "DIXON", "FAT")), Contrast.DIXON_FAT),
        (spin_echo(600, 10, image_type=("ORIGINAL", "PRIMARY", "DIXON", "OPP_PHASE")), Contrast.OTHER),
        (spin_echo(600, 10, image_type=("ORIGINAL", "PRIMARY", "DIXON", "IN_PHASE")), Contrast.T1),
    ],
)
def test_parameters_alone(parameters, expected):
    assert role(**parameters).contrast is expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("COR_T1", Contrast.T1),
        ("t1_tse_cor", Contrast.T1),
        ("T1W TSE COR", Contrast.T1),
        ("COR T1 FSE_re", Contrast.T1),
        ("stir_cor", Contrast.STIR),
        ("COR STIR", Contrast.STIR),
        ("t2_tirm_cor_p2", Contrast.STIR),
        ("turboSTIR", Contrast.STIR),
        ("SAG_PDFS", Contrast.PDFS),
        ("PDW_SPAIR_COR", Contrast.PDFS),
        ("AX PD FS RT", Contrast.PDFS),
        ("pd_tse_fs_sag", Contrast.PDFS),
        ("DP FATSAT COR", Contrast.PDFS),
        ("t2_tse_fs", Contrast.T2FS),
        ("COR_T2FS", Contrast.T2FS),
        ("T2 FAT SAT COR", Contrast.T2FS),
        ("Ax T2 fs FRFSE", Contrast.T2FS),
        ("T2 TSE sat. grasa", Contrast.T2FS),
        ("COR T2 FSE", Contrast.T2),
        ("pd_tse_tra", Contrast.PD),
        ("t2_tse_dixon_cor_W", Contrast.DIXON_WATER),
        ("t2_tse_dixon_cor_F", Contrast.DIXON_FAT),
        ("t1_tse_dixon_cor_W", Contrast.OTHER),
        ("t1_tse_fs_cor_km", Contrast.OTHER),
        ("t2_de3d_dess", Contrast.OTHER),
        ("T2* GRE", Contrast.OTHER),
        ("ep2d_diff_ADC", Contrast.OTHER),
        ("T2 FLAIR", Contrast.OTHER),
        ("series 7", None),
        ("T1 and T2", None),
        ("", None),
        ("Stirling hospital", None),
    ],
)
def test_words_alone(words, expected):
    assert contrast_in(words) is expected


@pytest.mark.parametrize("words", ["3-PLANE LOC", "Survey", "localizer", "Scout", "Lokalisation LOC", "Calibration"])
def test_localizers_by_name(words):
    assert names_a_localizer(words)


@pytest.mark.parametrize("words", ["COR_T1", "local coil T1", "STIR cor block 2"])
def test_no_localizers_by_name(words):
    assert not names_a_localizer(words)


def test_parameters_outvote_a_wrong_name():
    wrong = role("t2_tse_fs", **spin_echo(600, 10))
    assert wrong.contrast is Contrast.T1
    assert wrong.score == pytest.approx(0.6)
    assert wrong.reasons == (
        "TR 600 ms and TE 10 ms: T1 (+0.6)",
        "Its description or file name: T2FS (+0.35)",
    )


def test_a_name_settles_what_scan_options_leave_open():
    assert role("t2_tse_fs_cor", **spin_echo(4000, 70)).contrast is Contrast.T2FS
    assert role("t2_tse_cor", **spin_echo(4000, 70)).contrast is Contrast.T2


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


def test_the_words_never_reach_the_reasons():
    text = " ".join(role("Mueller Anna t1", **spin_echo(600, 10)).reasons)
    assert "mueller" not in text.lower()


def test_planes_are_the_nearest():
    assert plane_of((0.9, 0.3, 0.1)) is SlicePlane.SAGITTAL
    assert plane_of((0.1, -0.8, 0.5)) is SlicePlane.CORONAL
    assert plane_of((0.1, 0.5, -0.8)) is SlicePlane.AXIAL


def test_body_parts():
    assert coded_body_part("hip") == "HIP"
    assert not shows_no_hip(coded_body_part("Lower Extremity"))
    assert shows_no_hip(coded_body_part("C-SPINE"))
    assert coded_body_part("Anna Mueller") is None
    assert not shows_no_hip(None)


def test_sidecar_in_seconds_and_in_milliseconds(tmp_path):
    seconds = {
        "RepetitionTime": 3.849,
        "EchoTime": 0.0379,
        "InversionTime": 0.23,
        "ScanningSequence": "SE\\IR",
    }
    milliseconds = seconds | {"RepetitionTime": 3849.0, "EchoTime": 37.9, "InversionTime": 230.0}
    for content in (seconds, milliseconds):
        (tmp_path / "a.json").write_text(json.dumps(content))
        a = read_sidecar(tmp_path / "a.json").acquisition
        assert (a.repetition_time_ms, a.echo_time_ms, a.inversion_time_ms) == (3849.0, 37.9, 230.0)
        assert a.scanning_sequence == ("SE", "IR")


@pytest.mark.parametrize("content", ["", "{", "[1]", '"x"', "[" * 100_000])
def test_broken_sidecars_are_reported_and_ignored(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    sidecar = read_sidecar(tmp_path / "a.json")
    assert sidecar.acquisition == Acquisition()
    assert "ignored" in sidecar.problem


def test_sidecar_values_of_wrong_type_count_as_missing(tmp_path):
    (tmp_path / "a.json").write_text(
        '{"RepetitionTime": "x", "EchoTime": [], "FlipAngle": {"a": 1}, "InversionTime": NaN, "Modality": 7, '
        '"ScanOptions": [1, null], "SeriesDescription": ["t1"], "MagneticFieldStrength": 15000}'
    )
    sidecar = read_sidecar(tmp_path / "a.json")
    assert sidecar.acquisition.repetition_time_ms is None
    assert sidecar.acquisition.field_strength_t == 1.5
    assert sidecar.words == ""
