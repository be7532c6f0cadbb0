"""From signs to a distribution: points, a probability, a pattern."""

from __future__ import annotations

import math

from toh_mri.classification.rules import RULES, Signs
from toh_mri.core.config.classification import ClassificationConfig
from toh_mri.core.hip import Classification, Findings, Measurements, Pattern, Structure

MODEL = "rules-1"
"""Name of this model in the record."""


def classify_hip(measurements: Measurements, findings: Findings, config: ClassificationConfig) -> Classification:
    """Classify one hip by rules.

    The points of all rules add up to the log odds of ON-like against TOH-like; the logistic function makes them
    `probability_on`. Nearer to one half than the margin of the configuration the pattern is ``indeterminate``.

    Parameters
    ----------
    measurements : Measurements
    findings : Findings
        Of the same hip; evidence refers to them by id.
    config : ClassificationConfig

    Returns
    -------
    Classification
        ``no_finding`` where there is neither edema above the threshold nor a line; without a pattern, and with a
        reason, where edema could not be measured and no line was found.
    """
    signs = Signs(measurements, findings, config)
    evidence = tuple(found for rule in RULES if (found := rule(signs)) is not None)
    if not signs.has_edema and not signs.has_line:
        reason = findings.absent.get(Structure.EDEMA)
        pattern = None if reason else Pattern.NO_FINDING
        return Classification(pattern=pattern, probability_on=None, evidence=evidence, model=MODEL, reason=reason)
    probability = 1.0 / (1.0 + math.exp(-sum(item.points for item in evidence)))
    return Classification(
        pattern=_pattern(probability, config.indeterminate_margin),
        probability_on=round(probability, 4),
        evidence=evidence,
        model=MODEL,
    )


def _pattern(probability: float, margin: float) -> Pattern:
    if abs(probability - 0.5) < margin:
        return Pattern.INDETERMINATE
    return Pattern.ON_LIKE if probability > 0.5 else Pattern.TOH_LIKE
