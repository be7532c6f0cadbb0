"""How well the head is found and traced in single slices, against drawn or exact truth.

    python benchmarks/segment_slices.py drawn FOLDER [--pictures FOLDER] [--scale 1.1]
    python benchmarks/segment_slices.py cut FOLDER [CASE ...] [--pictures FOLDER]

``drawn``: pictures with a JSON beside each that holds a drawn circle and outline of each head. ``cut``: a cohort folder
with exact labels; coronal slices through each head's centre and 6 mm before and behind it are cut out of the volumes.
Both are run with T1 and fluid-sensitive slice together and with each alone; a hip that is not found or refused counts
as missed. Centre, radius and contour are told in percent of the head's diameter in the slice (radius: of the radius).
Run from the repository's root: the slices become studies with the helpers of the test suite.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage.io import imread, imsave
from skimage.segmentation import find_boundaries

from tests.segmentation.studies import make_study
from toh_mri.core.config import Config
from toh_mri.core.errors import TohMriError
from toh_mri.core.hip import Anatomy, HipImages, Label
from toh_mri.geometry import Grid, Image, Side
from toh_mri.io import load_study, read_nifti
from toh_mri.preprocess import align_study, crop_hip
from toh_mri.segmentation import locate_hips, segment_hip

CONFIG = Config()
OFFSETS_MM = (-6.0, 0.0, 6.0)
LETTER = {Side.RIGHT: "R", Side.LEFT: "L"}


@dataclass(frozen=True)
class Truth:
    """Head circle and outline in one slice: centre and outline in LPS mm; labels on the slice's grid if known."""

    centre: NDArray[np.float64]
    radius_mm: float
    outline: NDArray[np.float64]
    labels: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Slices:
    """What is solved together, and the truth per side and series."""

    name: str
    mode: str
    images: dict[str, Image]
    truth: dict[tuple[Side, str], Truth]


def main() -> None:
    """Solve every slice and print a line per hip and a summary per mode."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("drawn", "cut"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--pictures", type=Path, help="write an overlay of every result here")
    parser.add_argument("--scale", type=float, default=1.0, help="pixel size handed over, as a share of the true one")
    options = parser.parse_args()
    rows: dict[str, list[tuple[float, ...]]] = {}
    source = drawn(options.folder, options.scale) if options.kind == "drawn" else cut(options.folder, options.cases)
    for item in source:
        found, trouble = solve(item.images)
        for side in sorted({side for side, _ in item.truth}, key=str):
            row, text = score(item, side, found.get(side))
            rows.setdefault(item.mode, []).append(row)
            print(f"{item.name} {item.mode:5} {side.value:5} {text or 'MISSED ' + trouble}", flush=True)
        if options.pictures:
            picture(item, found, options.pictures)
    for mode, values in rows.items():
        print(mode, summary(np.array(values)))


def solve(images: dict[str, Image]) -> tuple[dict[Side, tuple[HipImages, Anatomy]], str]:
    """Run alignment, search and contour; return what was found and what was refused."""
    found, trouble = {}, ""
    try:
        study = align_study(make_study(images), CONFIG.preprocess)
        for location in locate_hips(study, CONFIG.segmentation):
            hip = crop_hip(study, location, CONFIG.preprocess)
            try:
                found[location.side] = (hip, segment_hip(hip, CONFIG.segmentation))
            except TohMriError as error:
                trouble += f"{location.side.value}: {error.code} ({location.score:.2f}) "
    except TohMriError as error:
        trouble = error.code
    return found, trouble


def score(item: Slices, side: Side, found: tuple[HipImages, Anatomy] | None) -> tuple[tuple[float, ...], str]:
    """Return centre, radius, contour error in percent, confidence, head and neck Dice; and a line of text."""
    if found is None or (side, found[0].reference) not in item.truth:
        return (np.inf, np.inf, np.inf, 0.0, 0.0, np.nan), ""
    hip, anatomy = found
    truth = item.truth[side, hip.reference]
    diameter = 2 * truth.radius_mm
    normal = anatomy.labels.grid.directions[:, 0]
    gap = np.subtract(anatomy.head.center, truth.centre)
    centre = 100 * float(np.linalg.norm(gap - (gap @ normal) * normal)) / diameter
    radius = 100 * (anatomy.head.radius_mm / truth.radius_mm - 1)
    distance, _ = cKDTree(dense(anatomy.surface[0])).query(truth.outline)
    contour = 100 * float(distance.mean()) / diameter
    head = dice(item, side, hip, anatomy, Label.FEMORAL_HEAD)
    neck = dice(item, side, hip, anatomy, Label.FEMORAL_NECK)
    doubts = ",".join(c.code for c in anatomy.checks if c.status.value != "ok")
    text = (
        f"centre {centre:4.1f} % radius {radius:+5.1f} % contour {contour:4.1f} % head {head:.3f} neck {neck:.3f} "
        f"R {truth.radius_mm:.1f} score {hip.location.score:.2f} confidence {anatomy.confidence:.2f} {doubts}"
    )
    return (centre, abs(radius), contour, anatomy.confidence, head, neck), text


def dense(points: NDArray[np.float64], *, closed: bool = True) -> NDArray[np.float64]:
    """Return ten points for every side of a polygon or polyline, shape (n, 3)."""
    following = np.roll(points, -1, axis=0)
    if not closed:
        points, following = points[:-1], following[:-1]
    part = np.arange(10)[None, :, None] / 10
    return np.asarray((points[:, None] * (1 - part) + following[:, None] * part).reshape(-1, 3))


def dice(item: Slices, side: Side, hip: HipImages, anatomy: Anatomy, label: Label) -> float:
    """Return the Dice overlap with exact labels; NaN without labels or where the label has no part in the slice."""
    labels = item.truth[side, hip.reference].labels
    if labels is None:
        return float("nan")
    box = tuple(slice(a, a + n) for a, n in zip(hip.crop_start, anatomy.labels.grid.shape, strict=True))
    true, mask = labels == label.code, anatomy.mask(label)
    total = true.sum() + mask.sum()
    return float(2 * (true[box] & mask).sum() / total) if total else float("nan")


def summary(values: NDArray[np.float64]) -> str:
    """Return the shares that meet the goals."""
    centre, radius, contour, confidence, head, neck = values.T
    found = np.isfinite(centre)
    good = (centre <= 10) & (radius <= 10)
    return (
        f"n {len(values)} missed {(~found).sum()} centre and radius within 10 %: {100 * good.mean():.0f} % "
        f"contour <= 4 %: {100 * (contour <= 4).mean():.0f} % | found: centre median {np.median(centre[found]):.1f} "
        f"radius {np.median(radius[found]):.1f} contour {np.median(contour[found]):.1f} "
        f"head Dice {np.nanmedian(head[found]):.3f} neck {np.nanmedian(neck[found]):.3f} | "
        f"wrong with confidence >= 0.5: {((confidence >= 0.5) & ~good).sum()}"
    )


def drawn(folder: Path, scale: float) -> Iterator[Slices]:
    """Yield every picture alone and the pairs together."""
    told = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    for name, facts in told.items():
        series, image, truth = drawn_slice(folder / f"{name}.png", facts, scale)
        yield Slices(name, "one", {series: image}, truth)
        if facts.get("pair", {}).get("t1") == name:
            other = facts["pair"]["fs"]
            second, second_image, second_truth = drawn_slice(folder / f"{other}.png", told[other], scale)
            yield Slices(name, "both", {series: image, second: second_image}, {**truth, **second_truth})


def drawn_slice(path: Path, facts: dict, scale: float) -> tuple[str, Image, dict[tuple[Side, str], Truth]]:
    """Return series name, image and truth of one picture."""
    pixels = np.atleast_3d(imread(path))[..., 0].astype(np.float32)
    pixel = facts["pixel_mm_estimate"] * scale
    affine = np.array([[0, 0, pixel, -pixel * 256], [4, 0, 0, 0], [0, -pixel, 0, pixel * 256], [0, 0, 0, 1]])
    grid = Grid((1, *pixels.shape), affine)
    name = f"COR_{facts['weighting']}"
    truth = {}
    for side, letter in LETTER.items():
        if letter in facts["hips"]:
            hip = facts["hips"][letter]
            circle, outline = hip["head_circle"], np.array(hip["head_polygon"])
            points = grid.to_world(np.column_stack([np.zeros(len(outline)), outline[:, ::-1]]))
            closed = hip["neck_polygon"] is None and np.linalg.norm(outline[0] - outline[-1]) < circle["r"]
            truth[side, name] = Truth(
                grid.to_world([0, circle["cy"], circle["cx"]]), circle["r"] * pixel, dense(points, closed=closed)
            )
    return name, Image(pixels[None], grid), truth


def cut(folder: Path, cases: list[str]) -> Iterator[Slices]:
    """Yield coronal slices through every head of a cohort."""
    for case in sorted(folder.glob("case-*")):
        if (cases and case.name not in cases) or not (case / "nifti").exists():
            continue
        facts = json.loads((case / "truth" / "truth.json").read_text())
        study = load_study(case / "nifti", CONFIG)
        coronal = [s for s in study.series if s.role.plane == "coronal"]
        t1 = next((s for s in coronal if s.role.contrast.is_t1_like), None)
        fluid = next((s for s in coronal if s.role.contrast.is_fluid_sensitive), None)
        for side, letter in LETTER.items():
            if letter in facts["hips"]:
                for offset in OFFSETS_MM:
                    modes = {"both": (t1, fluid), "t1": (t1,), "fluid": (fluid,)}
                    for mode, series in modes.items():
                        if all(s is not None for s in series):
                            parts = [cut_slice(case, s, facts, side, offset) for s in series]
                            name = f"{case.name} {facts['hips'][letter]['cls']:8} {offset:+.0f}"
                            yield Slices(name, mode, {n: i for n, i, _ in parts}, {(side, n): t for n, _, t in parts})


def cut_slice(case: Path, series: object, facts: dict, side: Side, offset: float) -> tuple[str, Image, Truth]:
    """Return series name, slice and truth at a distance behind a head's centre."""
    image, name = series.image, series.info.name
    hip = facts["hips"][LETTER[side]]
    moved = np.array(facts["series"].get(name, {}).get("movement_lps", np.eye(4)))
    centre = (moved @ [*hip["head_center_lps"], 1])[:3]
    k = int(np.clip(np.rint(image.grid.to_index(np.add(centre, [0, offset, 0]))[0]), 0, image.grid.shape[0] - 1))
    start, stop = (k, 0, 0), (k + 1, *image.grid.shape[1:])
    single = image.crop(start, stop)
    labels = read_nifti(case / "truth" / f"{name}_labels.nii.gz").crop(start, stop).array.astype(np.int64)
    labels = labels - (10 if side is Side.LEFT else 0)
    normal = single.grid.directions[:, 0]
    depth = float((single.grid.centre - centre) @ normal)
    radius = float(np.sqrt(max(hip["head_radius_mm"] ** 2 - depth**2, 1.0)))
    head = labels[0] == Label.FEMORAL_HEAD.code
    rest = ndimage.binary_dilation(np.isin(labels[0], (2, 3)), iterations=2)
    rows, columns = np.nonzero(find_boundaries(head, mode="inner") & ~rest)
    outline = single.grid.to_world(np.column_stack([np.zeros(len(rows)), rows, columns]))
    return name, single, Truth(centre + depth * normal, radius, outline, labels)


def picture(item: Slices, found: dict[Side, tuple[HipImages, Anatomy]], folder: Path) -> None:
    """Write the slices side by side: truth green, contour red, neck yellow, rest of the femur blue."""
    panels = []
    for name, image in item.images.items():
        grid = image.grid
        grey = np.clip(image.array[0] / max(float(np.percentile(image.array, 99.5)), 1e-6), 0, 1)
        panel = np.repeat(np.repeat(np.stack([grey] * 3, axis=-1), 2, axis=0), 2, axis=1)
        for hip, anatomy in found.values():
            if hip.reference != name:
                continue
            own = anatomy.labels
            codes = own.array[0].repeat(2, axis=0).repeat(2, axis=1)
            first = grid.to_index(own.grid.to_world([0, 0, 0]))[1:]
            for code, colour in ((2, (1, 1, 0)), (3, (0.3, 0.6, 1)), (1, (1, 0.6, 0.6))):
                edge = np.argwhere(find_boundaries(codes == code, mode="inner")) + np.rint(2 * first)
                paint(panel, edge, colour)
            paint(panel, 2 * grid.to_index(dense(anatomy.surface[0]))[:, 1:], (1, 0, 0))
        for (_, series), truth in item.truth.items():
            if series == name:
                paint(panel, 2 * grid.to_index(truth.outline)[:, 1:], (0, 1, 0))
        panels.append(panel)
    rows = max(panel.shape[0] for panel in panels)
    panels = [np.pad(panel, ((0, rows - panel.shape[0]), (0, 0), (0, 0))) for panel in panels]
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{item.name}_{item.mode}.png".replace(" ", "_")
    imsave(folder / name, (255 * np.concatenate(panels, axis=1)).astype(np.uint8), check_contrast=False)


def paint(panel: NDArray[np.float64], points: NDArray[np.float64], colour: tuple[float, float, float]) -> None:
    """Colour the pixels at (row, column)."""
    at = np.rint(points).astype(int)
    inside = ((at >= 0) & (at < panel.shape[:2])).all(axis=1)
    panel[tuple(at[inside].T)] = colour


if __name__ == "__main__":
    main()
