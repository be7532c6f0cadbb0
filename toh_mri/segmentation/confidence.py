"""The calibrated probability that a traced head overlaps the true one with a Dice above 0.9."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from toh_mri.segmentation.features import Features

TABLE = "confidence_table.json"
"""Written by ``benchmarks/fit_confidence.py``: coefficients, and what they were fitted on."""


def confidence(features: Features, dimensionality: int) -> float:
    """Return the probability, 0..1, that the head's Dice is above 0.9 (of a slice: of its section).

    A logistic model whose coefficients are all of one sign: more doubt never gives more confidence. Each feature counts
    between 0 and the limit it was fitted up to, so that nothing is extrapolated.

    Parameters
    ----------
    features : Features
    dimensionality : int
        3, or 2 for a single slice.
    """
    model = table()[f"{dimensionality}d"]
    logit = model["intercept"] - sum(
        term["coefficient"] * min(features[name], term["limit"]) for name, term in model["terms"].items()
    )
    return float(1.0 / (1.0 + np.exp(-logit)))


@cache
def table() -> dict[str, Any]:
    """Return the packaged coefficients by dimensionality, with seed, date and data they were fitted on."""
    content: dict[str, Any] = json.loads(files("toh_mri.segmentation").joinpath(TABLE).read_text(encoding="utf-8"))
    return content
