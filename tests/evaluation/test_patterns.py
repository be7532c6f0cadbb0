"""The rule of accepted patterns, row by row."""

import pytest

from toh_mri.evaluation.patterns import accepted


@pytest.mark.parametrize(
    ("truth", "pattern", "flags", "right"),
    [
        ("TOH", "toh_like", "", True),
        ("TOH", "indeterminate", "", False),
        ("ON", "on_like", "band_with_edema", True),
        ("ON", "toh_like", "", False),
        ("SIF", "toh_like", "subchondral_fracture_line", True),
        ("SIF", "indeterminate", "subchondral_fracture_line", True),
        ("SIF", "toh_like", "", False),
        ("SIF", "on_like", "subchondral_fracture_line", False),
        ("NECKFX", "indeterminate", "neck_fracture_line", True),
        ("NECKFX", "indeterminate", "subchondral_fracture_line", False),
        ("ARTHRITIS", "no_finding", "large_effusion_both_sides", True),
        ("ARTHRITIS", "on_like", "large_effusion_both_sides", False),
        ("ARTHRITIS", "toh_like", "", False),
        ("OA", "on_like", "", True),
        ("OA", "toh_like", "", False),
        ("OA", "toh_like", "degraded", False),
        ("OA", "toh_like", "large_effusion_both_sides", True),
        ("normal", "no_finding", "", True),
        ("normal", "toh_like", "", False),
        ("MARROW", "toh_like", "", None),
    ],
)
def test_rule(truth, pattern, flags, right):
    assert accepted(truth, pattern, frozenset(flags.split(";")) - {""}) is right


@pytest.mark.parametrize("truth", ["TOH", "ON", "SIF", "NECKFX", "ARTHRITIS", "OA", "normal"])
def test_a_hip_without_a_pattern_is_never_right(truth):
    every_flag = frozenset({"subchondral_fracture_line", "neck_fracture_line", "large_effusion_both_sides"})
    assert accepted(truth, None, every_flag) is False
