"""The one image type and its grid, and the geometry of spheres, planes and sides.

All coordinates are DICOM/ITK patient LPS in mm (x to the left, y to the back, z to the head). All arrays are
C-ordered and indexed ``[slice, row, column]``.
"""

from toh_mri.geometry.arrays import read_only
from toh_mri.geometry.grid import SLACK, Grid
from toh_mri.geometry.image import Image
from toh_mri.geometry.shapes import Plane, Sphere, fit_sphere
from toh_mri.geometry.sides import Side

__all__ = ["SLACK", "Grid", "Image", "Plane", "Side", "Sphere", "fit_sphere", "read_only"]
