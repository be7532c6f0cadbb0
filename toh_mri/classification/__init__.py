"""TOH-like against ON-like, with reasons."""

from toh_mri.classification.classify import classify_hip

__all__ = ["classify_hip"]
