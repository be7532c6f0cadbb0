"""A real T1 slice of osteonecrosis: the detector follows the band that a person drew."""

import json
from itertools import pairwise

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage import draw, io, measure

from toh_mri.core.config.lesions import LesionsConfig
from toh_mri.core.hip import Anatomy, HipImages, HipLocation, HipSeries, Structure
from toh_mri.core.study import Acquisition, Alignment, Contrast, SeriesInfo, SeriesRole, SlicePlane
from toh_mri.geometry import Grid, Image, Side, Sphere
from toh_mri.lesions import find_lesions

NAME = "MPX2008_synpic27563"


def _polygon(shape, points):
    return draw.polygon2mask(shape, np.array(points)[:, ::-1])


def _hip(folder, letter):
    notes = json.loads((folder / f"{NAME}.json").read_text())
    pixels = io.imread(folder / f"{NAME}.png", as_gray=True).astype(np.float32)
    size, drawn = notes["pixel_mm_estimate"], notes["hips"][letter]
    grid = Grid((1, *pixels.shape), np.array([[0, 0, size, 0], [4, 0, 0, 0], [0, -size, 0, 0], [0, 0, 0, 1.0]]))
    labels = np.zeros(pixels.shape, np.uint8)
    for code, part in ((3, "proximal_femur"), (2, "neck"), (1, "head")):
        labels[_polygon(pixels.shape, drawn[f"{part}_polygon"])] = code
    circle = drawn["head_circle"]
    sphere = Sphere(tuple(grid.to_world([0, circle["cy"], circle["cx"]])), circle["r"] * size)
    neck = grid.to_world(np.argwhere(labels[None] == 2)).mean(axis=0) - sphere.center
    outline = max(measure.find_contours((labels > 0).astype(float), 0.5), key=len)[:-1]
    side = Side.LEFT if letter == "L" else Side.RIGHT
    anatomy = Anatomy(
        side=side,
        dimensionality=2,
        labels=Image(labels[None], grid),
        marrow=Image((ndimage.distance_transform_edt(labels > 0) * size > 1.2)[None], grid),
        head=sphere,
        neck_axis=tuple(neck / np.linalg.norm(neck)),
        head_neck_plane=None,
        intertrochanteric_plane=None,
        surface=grid.to_world(np.column_stack([np.zeros(len(outline)), outline]))[None],
        confidence=1.0,
        checks=(),
    )
    role = SeriesRole(contrast=Contrast.T1, plane=SlicePlane.CORONAL, score=1.0, reasons=())
    info = SeriesInfo(
        name="COR_T1", role=role, acquisition=Acquisition(), shape=grid.shape, spacing_mm=grid.spacing_mm, files=1
    )
    alignment = Alignment(
        anchor="COR_T1",
        method="none",
        applied=False,
        shift_mm=0,
        rotation_degree=0,
        similarity_before=None,
        similarity_after=None,
        reason="one series",
    )
    series = HipSeries(info, Image(pixels[None], grid), np.eye(4), alignment)
    location = HipLocation(side, sphere, 1.0, 1.0, 2)
    (line,) = (finding["points"] for finding in drawn["findings"] if finding["type"] == "serpiginous_line")
    band = grid.to_world(np.column_stack([np.zeros(len(line)), np.array(line)[:, ::-1]]))
    return HipImages(location, "COR_T1", (), grid.shape, (0, 0, 0), (series,)), anatomy, band


@pytest.mark.shared
@pytest.mark.parametrize("letter", ["R", "L"])
def test_the_band_of_a_real_osteonecrosis_is_followed(shared_data, letter):
    images, anatomy, drawn = _hip(shared_data / "hips-2d", letter)
    findings = find_lesions(images, anatomy, LesionsConfig())
    assert {item.structure for item in findings.items} == {Structure.BAND}
    traced = np.concatenate([np.array(line) for item in findings.items for line in item.polylines_lps_mm])
    off, _ = cKDTree(_dense(drawn)).query(traced)
    missed, _ = cKDTree(traced).query(_dense(drawn))
    assert np.median(off) < 1.5
    assert np.mean(missed < 3.0) > 0.7
    assert findings.absent[Structure.EDEMA] == "no_fluid_sensitive_series"


def _dense(points):
    """A drawn line, a point every tenth of the way between its corners."""
    parts = np.linspace(0, 1, 10, endpoint=False)[:, None]
    return np.concatenate([a + parts * (b - a) for a, b in pairwise(points)])
