"""A folder of truths: cases, their readers, and each reader's masks of one hip."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toh_mri.core.errors import InputError
from toh_mri.evaluation.description import checked
from toh_mri.evaluation.files import read_json
from toh_mri.geometry import Grid, Image, Side
from toh_mri.io import read_nifti

LINES = {"band": "line_serpiginous", "subchondral_line": "line_subchondral", "neck_line": "line_neck"}
"""The project's name of a line to the truth's."""

REGIONS = ("femoral_head", "femoral_neck", "proximal_femur", "acetabulum")
"""Structures of the label image in the order of their codes: right hip 1 to 4, left hip 11 to 14."""

_MASKS = ("labels", "edema", "necrosis", "effusion", "cyst", *LINES.values())
_DRAWN = {"subchondral_line": ("subchondral", "crescent"), "neck_line": ("neck",)}  # in ``params.joint``
_LETTER = {Side.RIGHT: "R", Side.LEFT: "L"}
_FIRST_CODE = {Side.RIGHT: 1, Side.LEFT: 11}


@dataclass(frozen=True)
class TruthHip:
    """One reader's masks of one hip on the grid of one series.

    Attributes
    ----------
    series : str
    grid : Grid
    regions : ndarray of uint8, shape of the grid, or None
        1 to 4 in the order of `REGIONS`; None where no label image was drawn.
    masks : mapping of str to ndarray of bool
        By the truth's name; what was not drawn is not in it.
    """

    side: Side
    series: str
    grid: Grid
    regions: NDArray[np.uint8] | None
    masks: Mapping[str, NDArray[np.bool_]]


@dataclass(frozen=True)
class Reader:
    """The masks one person, or a generator, made of one case: files by series and structure."""

    case: str
    name: str
    folder: Path
    files: Mapping[str, Mapping[str, Path]]

    @cached_property
    def description(self) -> Mapping[str, Any]:
        """What ``truth.json`` says; empty where there is none.

        Raises
        ------
        InputError
            ``json_unreadable``, ``truth_value_unusable``.
        """
        file = f"Case {self.case}, reader {self.name}: truth.json"
        return checked(read_json(self.folder / "truth.json", file), file)

    @property
    def is_synthetic(self) -> bool:
        """Whether ``truth.json`` holds the parameters of a generator."""
        return bool(self.description.get("params"))

    @property
    def difficulty(self) -> str | None:
        """How hard the case was made."""
        return self.description.get("difficulty")

    def hip_facts(self, side: Side) -> Mapping[str, Any]:
        """Return what ``truth.json`` says about a hip; empty where it says nothing."""
        facts: Mapping[str, Any] = self.description.get("hips", {}).get(_LETTER[side], {})
        return facts

    def drawn_line_mm(self, line: str, side: Side) -> float | None:
        """Return the length at which a generator drew a line, in mm; None where it does not say."""
        joint = self.description.get("params", {}).get("joint", {}).get(_LETTER[side], {})
        drawn = [joint[name] for name in _DRAWN.get(line, ()) if isinstance(joint.get(name), dict)]
        return next((one["length"] for one in drawn if "length" in one), None)

    def head_center(self, side: Side, series: str) -> NDArray[np.float64] | None:
        """Return the centre of the head as a series shows it, LPS mm, shape (3,); None where it is not stated.

        A generator states the centre before the patient moved, and how the patient lay during each series.
        """
        center = self.hip_facts(side).get("head_center_lps")
        if center is None:
            return None
        movement = self._movement(series)
        facts = self.description.get("series", {}).get(series, {})
        shift = np.array(facts.get("motion_lps_mm") or (0.0, 0.0, 0.0), dtype=np.float64)
        return np.asarray(movement[:3, :3] @ np.array(center) + movement[:3, 3] + shift)

    def slice_normal(self, series: str) -> NDArray[np.float64]:
        """Return the direction in which the slices of a series follow each other, LPS, shape (3,)."""
        path = min(self.files[series].values())
        return np.asarray(read_nifti(path).grid.directions[:, 0])

    def neck_axis(self, side: Side, series: str) -> NDArray[np.float64] | None:
        """Return the direction of the neck as a series shows it, LPS, shape (3,); None where it is not stated."""
        axis = self.hip_facts(side).get("neck_axis_lps")
        return None if axis is None else np.asarray(self._movement(series)[:3, :3] @ np.array(axis, dtype=np.float64))

    def _movement(self, series: str) -> NDArray[np.float64]:
        """Return how the patient moved before a series, LPS to LPS, shape (4, 4)."""
        facts = self.description.get("series", {}).get(series, {})
        return np.array(facts.get("movement_lps") or np.eye(4), dtype=np.float64)

    @cached_property
    def sides(self) -> tuple[Side, ...]:
        """The sides that the truth speaks of; empty where its masks do not tell sides apart."""
        listed = self.description.get("hips")
        if listed:
            return tuple(side for side in Side if _LETTER[side] in listed)
        codes = {int(c) for files in self.files.values() if "labels" in files for c in _codes(files["labels"])}
        return tuple(side for side in Side if codes & _own_codes(side))

    def hip(self, series: str, side: Side, centers: Mapping[Side, Iterable[float]]) -> TruthHip:
        """Read the masks of one hip.

        Where both hips are in the field of view, a voxel belongs to the nearer one: nearer to the middle of the
        drawn bones, or, where no labels were drawn, to one of `centers` (LPS mm).

        Raises
        ------
        InputError
            ``truth_grids_differ`` if the masks of the series do not lie on one grid.
        """
        images = {name: read_nifti(path) for name, path in sorted(self.files[series].items())}
        grid = next(iter(images.values())).grid
        if not all(image.grid.matches(grid) for image in images.values()):
            raise InputError(
                "truth_grids_differ",
                f"Case {self.case}, reader {self.name}: the masks of {series} do not lie on one grid.",
                "Save all masks of a series on the grid of that series.",
            )
        labels = images.pop("labels", None)
        middles = _middles(labels) if labels is not None else {}
        near = _nearest_to(side, middles or {own: np.array([*center]) for own, center in centers.items()}, grid)
        return TruthHip(
            side=side,
            series=series,
            grid=grid,
            regions=None if labels is None else _regions(labels.array, side),
            masks={name: np.asarray(image.array != 0) & near for name, image in images.items()},
        )


@dataclass(frozen=True)
class Case:
    """A folder of one study's truths, by one or more readers."""

    name: str
    folder: Path
    readers: tuple[Reader, ...]


def find_cases(root: Path) -> tuple[Case, ...]:
    """Find the cases below a folder: ``<case>/<reader>/<series>_<structure>.nii.gz``.

    Masks that lie in ``<case>`` itself are those of its one reader; a folder that is itself one case may be given.

    Raises
    ------
    InputError
        ``no_truth`` where there is no mask.
    """
    files: dict[Path, dict[str, dict[str, Path]]] = defaultdict(lambda: defaultdict(dict))
    for path in sorted([*root.rglob("*.nii.gz"), *root.rglob("*.nii")]):
        stem = path.name.removesuffix(".gz").removesuffix(".nii")
        for mask in _MASKS:
            if stem.endswith(f"_{mask}"):
                files[path.parent][stem.removesuffix(f"_{mask}")][mask] = path
    if not files:
        raise InputError(
            "no_truth",
            f"{root}: holds no mask that an evaluation could use.",
            "Name masks <case>/<reader>/<series>_labels.nii.gz, <series>_edema.nii.gz and so on.",
        )
    readers: dict[Path, list[Reader]] = defaultdict(list)
    for folder, series in sorted(files.items()):
        case = _case_of(folder, root)
        name = "reader" if case == folder else folder.name
        readers[case].append(
            Reader(_name(case, root), name, folder, {key: dict(value) for key, value in series.items()})
        )
    return tuple(Case(_name(case, root), case, tuple(own)) for case, own in sorted(readers.items()))


def _case_of(reader: Path, root: Path) -> Path:
    if reader == root:
        return reader
    one_case = reader.parent == root and not (reader / "truth.json").is_file()
    return reader if one_case else reader.parent


def _name(case: Path, root: Path) -> str:
    return case.relative_to(root).as_posix() if case != root else root.resolve().name


def _own_codes(side: Side) -> set[int]:
    return set(range(_FIRST_CODE[side], _FIRST_CODE[side] + len(REGIONS)))


def _codes(path: Path) -> NDArray[Any]:
    return np.unique(read_nifti(path).array)


def _regions(labels: NDArray[Any], side: Side) -> NDArray[np.uint8]:
    first = _FIRST_CODE[side]
    own = (labels >= first) & (labels < first + len(REGIONS))
    return np.where(own, labels - (first - 1), 0).astype(np.uint8)


def _middles(labels: Image) -> dict[Side, NDArray[np.float64]]:
    drawn = {side: np.argwhere(_regions(labels.array, side)) for side in Side}
    return {side: labels.grid.to_world(index).mean(axis=0) for side, index in drawn.items() if len(index)}


def _nearest_to(side: Side, middles: Mapping[Side, NDArray[np.float64]], grid: Grid) -> NDArray[np.bool_]:
    if side not in middles or side.other not in middles:
        return np.ones((1, 1, 1), dtype=bool)
    towards = middles[side] - middles[side.other]
    halfway = (middles[side] + middles[side.other]) / 2
    # The plane halfway between both, as a linear function of the index: no coordinates of every voxel are needed.
    k, j, i = (np.arange(n, dtype=np.float64) for n in grid.shape)
    slope = towards @ grid.affine[:3, :3]
    level = towards @ (grid.affine[:3, 3] - halfway)
    return np.asarray(slope[0] * k[:, None, None] + slope[1] * j[:, None] + slope[2] * i + level > 0)
