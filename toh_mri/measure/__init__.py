"""Measurements of one hip: the feature registry and what computes it."""

from toh_mri.measure.measure import measure_hip
from toh_mri.measure.registry import FEATURES, Feature

__all__ = ["FEATURES", "Feature", "measure_hip"]
