"""Which patterns are right for which truth: the rule of accepted patterns and flags."""

from __future__ import annotations

from collections.abc import Callable

_FRACTURE_PATTERNS = ("toh_like", "indeterminate")
_NOT_A_DISEASE = frozenset({"degraded"})

_RULES: dict[str, Callable[[str, frozenset[str]], bool]] = {
    "TOH": lambda pattern, _: pattern == "toh_like",
    "ON": lambda pattern, _: pattern == "on_like",
    "SIF": lambda pattern, flags: pattern in _FRACTURE_PATTERNS and "subchondral_fracture_line" in flags,
    "NECKFX": lambda pattern, flags: pattern in _FRACTURE_PATTERNS and "neck_fracture_line" in flags,
    "ARTHRITIS": lambda pattern, flags: pattern != "on_like" and "large_effusion_both_sides" in flags,
    "OA": lambda pattern, flags: pattern != "toh_like" or bool(flags - _NOT_A_DISEASE),
    "normal": lambda pattern, _: pattern == "no_finding",
}


def is_scored(truth_class: str) -> bool:
    """Tell whether the rule knows a class of the truth."""
    return truth_class in _RULES


def accepted(truth_class: str, pattern: str | None, flags: frozenset[str]) -> bool | None:
    """Tell whether a pattern, with its flags, is right for a class of the truth.

    A hip without a pattern is never right. Classes that the rule does not know give None: they are not scored.
    """
    rule = _RULES.get(truth_class)
    if rule is None:
        return None
    return pattern is not None and rule(pattern, flags)
