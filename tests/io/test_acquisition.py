"""Acquisition parameters as headers and sidecars give them: numbers, codes, body parts; never free text."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.multival import MultiValue
from scipy.spatial.transform import Rotation

from toh_mri.core.config.io import IoConfig
from toh_mri.geometry import Grid
from toh_mri.io.acquisition import codes, make_acquisition, number
from toh_mri.io.roles.body_part import coded_body_part, shows_no_hip
from toh_mri.io.roles.fitness import fitness_problems


def acquisition(**values):
    return make_acquisition(values.get)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (600, 600.0),
        ("600", 600.0),
        (" 9.6 ", 9.6),
        ("9,6", 9.6),
        ("0,25", 0.25),
        ("-3,5", -3.5),
        ("0,125", 0.125),
        ("4,000", None),  # four, or four thousand?
        ("1,000,000", None),
        ("9.6 ms", None),
        ("", None),
        (None, None),
        (True, None),
        (math.nan, None),
        ("inf", None),
        ([40, 80], 40.0),
        (MultiValue(float, [40, 80]), 40.0),
        ([], None),
        ({"a": 1}, None),
    ],
)
def test_numbers(value, expected):
    assert number(value) == expected


def test_times_of_zero_and_below_are_missing():
    a = acquisition(EchoTime=0, RepetitionTime="0", InversionTime=-1.0, FlipAngle=90)
    assert (a.echo_time_ms, a.repetition_time_ms, a.inversion_time_ms) == (None, None, None)
    assert a.flip_angle_degree == 90.0


@pytest.mark.parametrize(
    ("value", "tesla"), [(1.5, 1.5), ("3", 3.0), (15000, 1.5), (2500, 0.25), ("1,5", 1.5), (0, None), ("x", None)]
)
def test_field_strength(value, tesla):
    assert acquisition(MagneticFieldStrength=value).field_strength_t == tesla


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["FAST_GEMS", "FS"], ("FAST_GEMS", "FS")),
        ("PFP\\FS", ("PFP", "FS")),
        ("SAT_GEMS_EPI_GEMS_ACC_GEMS_FS", ("SAT_GEMS", "EPI_GEMS", "ACC_GEMS", "FS")),
        ("FAST_GEMS_TRF_GEMS_FS_FSL_GEMS", ("FAST_GEMS", "TRF_GEMS", "FS", "FSL_GEMS")),
        ("EDR_GEMS_PFF_FC_SLICE_AX_GEMS_FS", ("EDR_GEMS", "PFF", "FC_SLICE_AX_GEMS", "FS")),
        ("IR_GEMS", ("IR_GEMS",)),
        ("", ()),
        (None, ()),
        (7, ()),
    ],
)
def test_scan_options(value, expected):
    assert acquisition(ScanOptions=value).scan_options == expected


@given(st.text(max_size=60))
def test_codes_hold_no_free_text(value):
    """Whatever a coded field holds, only short upper-case codes of plain letters come out."""
    for code in (*codes(value), *acquisition(ScanOptions=f"{value}_GEMS_{value}").scan_options):
        assert len(code) <= 24
        assert code.isascii()
        assert code == code.upper()


@pytest.mark.parametrize(
    ("value", "given_agent"),
    [
        ("Dotarem", True),
        ("GADOLINIUM", True),
        ("NONE", False),
        ("no", False),
        ("ohne", False),
        ("0", False),
        ("", None),
        (None, None),
    ],
)
def test_contrast_agent(value, given_agent):
    assert acquisition(ContrastBolusAgent=value).contrast_agent is given_agent


@pytest.mark.parametrize(
    ("value", "vendor"),
    [
        ("SIEMENS", "Siemens"),
        ("Siemens Healthineers", "Siemens"),
        ("Philips Medical Systems", "Philips"),
        ("GE MEDICAL SYSTEMS", "GE"),
        ("TOSHIBA_MEC", "Canon"),
        ("CANON_MEC", "Canon"),
        ("UIH", "UIH"),
        ("HITACHI MEDICAL CORPORATION", "Hitachi"),
        ("ESAOTE", "Esaote"),
        ("Dr. Mueller", None),
    ],
)
def test_manufacturer(value, vendor):
    assert acquisition(Manufacturer=value).manufacturer == vendor


@pytest.mark.parametrize(
    "value",
    [
        "HIP", "hip", "HIP L", "HIP_RIGHT", "LEFT HIP", "Hüfte", "HUEFTE RE", "Hüftgelenk", "BECKEN", "Pelvis",
        "FEMORAL NECK", "HEAD OF FEMUR", "hanche gauche", "CADERA DERECHA", "anca dx", "KALÇA",
        "Biodro", "таз", "髋关节", "股関節",
        "LOWER EXTREMITY", "ABDOMEN", "WHOLEBODY",
    ],
)  # fmt: skip
def test_parts_that_may_show_a_hip(value):
    assert coded_body_part(value) is not None
    assert not shows_no_hip(coded_body_part(value))


@pytest.mark.parametrize(
    "value",
    ["HEAD", "NECK", "C-SPINE", "KNEE", "KNEE L", "Knie re", "GENOU", "Rodilla", "DİZ", "Głowa", "колено", "膝关节"],
)
def test_parts_that_show_no_hip(value):
    assert shows_no_hip(coded_body_part(value))


@pytest.mark.parametrize("value", ["Anna Mueller", "Hip of Anna Mueller", "", None, "UNDEFINED", "L", "12"])
def test_other_words_are_unknown_and_exclude_nothing(value):
    assert coded_body_part(value) is None
    assert not shows_no_hip(coded_body_part(value))


@given(angle=st.floats(-180, 180), pixel=st.sampled_from([2.0, 1.999999999]))
def test_a_pixel_of_the_limit_is_fine_however_it_is_turned(angle, pixel):
    """Lengths that come out of a turned affine are a rounding error off; a limit is not missed by that."""
    turned = Rotation.from_euler("xyz", (angle, 3.78, 1.0), degrees=True).as_matrix() * (4.0, pixel, pixel)
    affine = np.eye(4)
    affine[:3, :3] = turned
    grid = Grid((10, 60, 60), affine)
    assert fitness_problems(acquisition(), grid, None, IoConfig()) == []
