"""Back ends by name: those of this package, and those that others add."""

import tomllib
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import numpy as np
import pytest

import toh_mri as tm
from tests.segmentation.hips import Hip, coronal_grid, grid_of, picture
from tests.segmentation.studies import make_study
from toh_mri.core.errors import ConfigError, SegmentationError
from toh_mri.core.hip import HipLocation, Status
from toh_mri.geometry import Side, Sphere
from toh_mri.segmentation import backends

HIP = Hip()


class Refusing:
    """A back end of another package: finds the analytic hip and declines to outline it."""

    def locate(self, _study, _config, _labels):
        return (HipLocation(Side.LEFT, Sphere(HIP.center, HIP.radius_mm), 1.0, 1.0, 3),)

    def segment(self, _images, _config, _labels):
        raise SegmentationError("not_today", "This back end outlines nothing.")


class Halved:
    def locate(self, _study, _config, _labels):
        return ()


def added(monkeypatch, **classes):
    """Install back ends as another package's entry points would."""
    entries = EntryPoints(EntryPoint(name, f"{__name__}:{kind}", backends.GROUP) for name, kind in classes.items())
    monkeypatch.setattr(backends, "entry_points", lambda group: entries.select(group=group))


def study():
    return make_study({"COR_STIR": picture([HIP], grid_of(HIP), "STIR edema")})


def using(name):
    return tm.Config().with_overrides([f"segmentation.segmenter={name}"])


def test_another_packages_back_end_is_found_and_used(monkeypatch):
    added(monkeypatch, refusing="Refusing")
    assert backends.known_segmenters() == ("classical", "manual", "refusing")
    record = tm.analyze_study(study(), using("refusing")).record
    assert record.hips[Side.LEFT].status is Status.FAILED
    assert record.hips[Side.LEFT].failure.code == "not_today"
    assert record.provenance.config["segmentation"]["segmenter"] == "refusing"


def test_an_unknown_name_is_refused_with_the_names_that_are_known(monkeypatch):
    added(monkeypatch, refusing="Refusing")
    with pytest.raises(ConfigError, match="classical, manual, refusing") as refused:
        tm.analyze_study(study(), using("clasical"))
    assert refused.value.code == "segmenter_unknown"


@pytest.mark.parametrize(("kind", "why"), [("Halved", "no method segment"), ("Absent", "AttributeError")])
def test_a_back_end_that_cannot_work_is_refused_by_name(monkeypatch, kind, why):
    added(monkeypatch, broken=kind)
    with pytest.raises(ConfigError, match=f"'broken' cannot be used: {why}") as refused:
        backends.find_segmenter("broken")
    assert refused.value.code == "segmenter_unusable"


def test_nobody_replaces_a_back_end_of_this_package(monkeypatch):
    added(monkeypatch, classical="Refusing")
    assert isinstance(backends.find_segmenter("classical"), backends.Classical)
    assert backends.known_segmenters() == ("classical", "manual")


def test_the_package_announces_its_own_back_ends():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    announced = project["project"]["entry-points"][backends.GROUP]
    made = {name: type(backends.find_segmenter(name)) for name in backends.known_segmenters()[:2]}
    assert announced == {name: f"{kind.__module__}:{kind.__qualname__}" for name, kind in made.items()}


def test_a_drawing_takes_the_place_of_the_search():
    grid = coronal_grid(HIP.center, (110, 72, 120), pixel_mm=1.4)
    nothing = make_study({"COR_STIR": picture([], grid, "STIR normal")})
    labels = np.where(np.linalg.norm(grid.voxel_centres() - HIP.center, axis=-1) < HIP.radius_mm, 1, 0)
    beyond = (grid.voxel_centres() - HIP.center) @ HIP.neck_axis
    across = np.linalg.norm(grid.voxel_centres() - HIP.center - beyond[..., None] * HIP.neck_axis, axis=-1)
    labels[(beyond > 15) & (beyond < 42) & (across < 15) & (labels == 0)] = 2
    drawn = picture([], grid, "STIR normal").with_array(labels.astype(np.uint8))
    result = tm.analyze_study(nothing, anatomy=drawn)
    assert result.record.provenance.config["segmentation"]["segmenter"] == "manual"
    hip = result.record.hips[Side.LEFT]
    assert hip.segmentation_confidence == 1
    assert "manual" in [check.code for check in hip.checks]
    assert result.hips["left"].measurements.values["head_volume_ml"] == pytest.approx(
        (labels == 1).sum() * grid.voxel_volume_ml
    )
