"""Where no series gives signal, as beside metal."""

from __future__ import annotations

import numpy as np

from toh_mri.core.study import AlignedSeries
from toh_mri.geometry import Image, Side, Sphere
from toh_mri.segmentation.rays import sphere_rays

# Weaker than this share of what surrounds it: fat-suppressed marrow keeps 0.15 to 0.3 of the muscle beside it, metal
# leaves the noise (the author's estimate).
_VOID_SHARE = 0.1
_DEPTHS = (0.2, 0.4, 0.6, 0.8)  # of the radius
_SURROUNDINGS = (1.3, 1.6, 1.9)
_RAYS = 120


def is_void(series: list[AlignedSeries], sphere: Sphere) -> bool:
    """Tell whether a sphere is a signal void in every series that shows its centre.

    Parameters
    ----------
    series : list of AlignedSeries
    sphere : Sphere
        In the study's common frame.
    """
    shares = []
    for item in series:
        image = Image(item.series.image.array, item.grid_in_frame)
        inside, around = (_median(image, sphere, depths) for depths in (_DEPTHS, _SURROUNDINGS))
        if np.isfinite(inside) and around > 0:
            shares.append(inside / around)
    return bool(shares) and max(shares) < _VOID_SHARE


def _median(image: Image, sphere: Sphere, depths: tuple[float, ...]) -> float:
    directions = sphere_rays(Side.LEFT, rays=_RAYS).directions
    points = sphere.center + np.multiply.outer(np.array(depths) * sphere.radius_mm, directions)
    values = image.sample(points)
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")
