"""Where hips are; femoral head, neck and the planes between them; how plausible that is."""

from toh_mri.segmentation.locate import locate_hips
from toh_mri.segmentation.segment import segment_hip

__all__ = ["locate_hips", "segment_hip"]
