"""The ways of finding a hip's anatomy, behind one protocol.

A package adds its own by an entry point of the group ``toh_mri.segmenters``: a name, and a class that can be made
without arguments and has the methods of `Segmenter`.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Protocol

from toh_mri.core.config.segmentation import SegmentationConfig
from toh_mri.core.errors import ConfigError
from toh_mri.core.hip import Anatomy, HipImages, HipLocation
from toh_mri.core.study import AlignedStudy
from toh_mri.geometry import Image
from toh_mri.segmentation.locate import locate_hips
from toh_mri.segmentation.manual import Manual
from toh_mri.segmentation.segment import segment_hip

GROUP = "toh_mri.segmenters"


class Segmenter(Protocol):
    """Finds hips in a study, and the anatomy of each.

    `labels` is a person's label image (codes of `Label`) on any grid of the reference series' patient space, or None.
    Both methods raise `SegmentationError` where they cannot give what is asked.
    """

    def locate(self, study: AlignedStudy, config: SegmentationConfig, labels: Image | None) -> tuple[HipLocation, ...]:
        """Return the hips in view, right before left, in the study's common frame."""
        ...

    def segment(self, images: HipImages, config: SegmentationConfig, labels: Image | None) -> Anatomy:
        """Return one hip's anatomy in the reference series' patient space, on its cropped grid."""
        ...


class Classical:
    """Search and surface of this package, without trained weights."""

    def locate(
        self,
        study: AlignedStudy,
        config: SegmentationConfig,
        labels: Image | None = None,  # noqa: ARG002 - the protocol's
    ) -> tuple[HipLocation, ...]:
        """Search the whole field of view. Raises as `locate_hips` does."""
        return locate_hips(study, config)

    def segment(
        self,
        images: HipImages,
        config: SegmentationConfig,
        labels: Image | None = None,  # noqa: ARG002 - the protocol's
    ) -> Anatomy:
        """Trace head and neck. Raises as `segment_hip` does."""
        return segment_hip(images, config)


_BUILT_IN: dict[str, type[Segmenter]] = {"classical": Classical, "manual": Manual}


def known_segmenters() -> tuple[str, ...]:
    """Return the names of all back ends: those of this package first."""
    return (*_BUILT_IN, *sorted(_added()))


def find_segmenter(name: str) -> Segmenter:
    """Return a back end by its name.

    Raises
    ------
    ConfigError
        ``segmenter_unknown``, with the names that are known; ``segmenter_unusable`` if a package's back end cannot be
        loaded or lacks a method.
    """
    if name in _BUILT_IN:
        return _BUILT_IN[name]()
    added = _added()
    if name not in added:
        raise ConfigError(
            "segmenter_unknown",
            f"There is no segmenter {name!r}; known are {', '.join(known_segmenters())}.",
            f"Set segmentation.segmenter, or install the package that adds {name!r} by an entry point of {GROUP}.",
        )
    try:
        segmenter: Segmenter = added[name].load()()
    except Exception as error:  # another package's code may raise anything
        raise _unusable(name, f"{type(error).__name__} when it was loaded") from error
    lacking = [method for method in ("locate", "segment") if not callable(getattr(segmenter, method, None))]
    if lacking:
        raise _unusable(name, f"no method {' and '.join(lacking)}")
    return segmenter


def _added() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in _BUILT_IN}


def _unusable(name: str, why: str) -> ConfigError:
    return ConfigError(
        "segmenter_unusable", f"The segmenter {name!r} cannot be used: {why}.", "Ask its authors, or choose another."
    )
