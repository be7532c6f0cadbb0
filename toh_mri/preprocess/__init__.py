"""Alignment between series, choice of the reference series, crops round a given location."""

from toh_mri.preprocess.align import align_study
from toh_mri.preprocess.crop import crop_hip

__all__ = ["align_study", "crop_hip"]
