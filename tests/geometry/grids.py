"""Hypothesis strategies: grids and rigid transforms of any orientation."""

import numpy as np
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from toh_mri.geometry import Grid

OFFSETS_MM = st.tuples(*[st.floats(-500, 500)] * 3)
ANGLES_DEGREE = st.tuples(*[st.floats(-180, 180)] * 3)


@st.composite
def rigid_transforms(draw):
    """Draw a rotation and shift, shape (4, 4)."""
    rigid = np.eye(4)
    rigid[:3, :3] = Rotation.from_euler("xyz", draw(ANGLES_DEGREE), degrees=True).as_matrix()
    rigid[:3, 3] = draw(OFFSETS_MM)
    return rigid


@st.composite
def grids(draw):
    """Draw a small grid of any orientation, handedness and voxel shape; single slices too."""
    shape = draw(st.tuples(*[st.integers(1, 7)] * 3))
    spacing = draw(st.tuples(*[st.floats(0.2, 8)] * 3))
    mirrored = draw(st.sampled_from([1.0, -1.0]))
    affine = draw(rigid_transforms()) @ np.diag([mirrored * spacing[0], spacing[1], spacing[2], 1.0])
    return Grid(shape, affine)
