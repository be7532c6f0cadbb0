"""Alignment between series, check of the side, choice of the reference series, crops round a given location."""

from toh_mri.preprocess.align import align_study
from toh_mri.preprocess.crop import crop_hip
from toh_mri.preprocess.laterality import check_laterality

__all__ = ["align_study", "check_laterality", "crop_hip"]
