"""Edema and focal lines of one hip."""

from toh_mri.lesions.find import find_lesions

__all__ = ["find_lesions"]
