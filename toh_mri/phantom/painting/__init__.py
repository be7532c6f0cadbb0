"""From the scene to the water and fat of every slice, and to the truth on the same grid.

Tissues are painted over each other on a raster finer than the image, slice by slice, on several sub-slices
across what the slice excites; their mean, weighted by the slice's profile, is what it sees (partial volume).
"""

from toh_mri.phantom.painting.render import FINE, Rendering, render

__all__ = ["FINE", "Rendering", "render"]
