import io
import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.image import imread

from toh_mri.report.outlines import mask_path, polyline_path
from toh_mri.report.png import png_bytes

pictures = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)))
masks = arrays(np.bool_, st.tuples(st.integers(1, 8), st.integers(1, 8)))


@given(pictures)
def test_a_png_reads_back_as_it_was_written(picture):
    read = imread(io.BytesIO(png_bytes(picture)), format="png")
    np.testing.assert_array_equal(np.round(read * 255).astype(np.uint8), picture)


def rings(path):
    return [
        np.array([[float(n) for n in point.split()] for point in ring.rstrip("Z").split("L")])
        for ring in path.split("M")
        if ring
    ]


def inside(path, x, y):
    """Even-odd rule: count the edges a ray to the right crosses."""
    crossings = 0
    for ring in rings(path):
        for (x1, y1), (x2, y2) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
                crossings += 1
    return crossings % 2 == 1


@given(masks, st.floats(0.3, 2), st.floats(0.3, 2))
def test_an_outline_encloses_the_pixel_centres_of_its_mask_and_no_others(mask, height, width):
    path = mask_path(mask, (height, width))
    for down, across in np.ndindex(mask.shape):
        # A hair off the centre: outlines are rounded to 0.01 mm and rays must not run through a corner.
        x, y = (across + 0.5) * width + 0.011, (down + 0.5) * height + 0.013
        assert inside(path, x, y) == mask[down, across]


def test_an_empty_mask_has_no_outline():
    assert mask_path(np.zeros((4, 4), bool), (1, 1)) == ""


def test_a_polyline_is_cut_into_the_runs_that_lie_in_the_slice():
    points = np.column_stack([np.arange(6.0), np.arange(6.0) * 2])
    path = polyline_path(points, np.array([True, True, False, False, True, False]))
    assert path == "M0.00 0.00L2.00 1.00M8.00 4.00L8.00 4.00"
    assert not polyline_path(points, np.zeros(6, bool))
    assert re.fullmatch(r"[ML\d. ]+", path)
