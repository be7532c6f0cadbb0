"""The worst cases as pictures: the slice where program and truth differ most, with both outlines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from toh_mri.core.errors import TohMriError
from toh_mri.core.study import Study
from toh_mri.evaluation.compare import Row
from toh_mri.evaluation.overlap import Mask, bounding_box, brought_to
from toh_mri.evaluation.plots import BLUE, ORANGE, embedded
from toh_mri.evaluation.results import StudyOutcome
from toh_mri.evaluation.truth import REGIONS, Case, TruthHip
from toh_mri.geometry import Grid, Side
from toh_mri.io import load_study

_EACH = 3
_MARGIN_MM = 18.0
_WINDOW_PERCENT = (1.0, 99.5)


@dataclass(frozen=True)
class Ranking:
    """A figure to look for the worst cases by."""

    title: str
    column: str
    structure: str
    badness: Callable[[float], float]
    truth_column: str | None = None
    """What the truth has of it: without it, a hip has nothing to miss and, measured as 0, nothing to show."""


RANKINGS = (
    Ranking("Lowest Dice of the head", "femoral_head_dice", "femoral_head", lambda value: -value),
    Ranking("Lowest Dice of the neck", "femoral_neck_dice", "femoral_neck", lambda value: -value),
    Ranking(
        "Largest difference of edema volume, ml", "edema_total_difference_ml", "edema", abs, "edema_total_truth_ml"
    ),
)


@dataclass(frozen=True)
class Plate:
    """One picture of the gallery; `picture` is None where `note` says why there is none."""

    title: str
    caption: str
    picture: str | None
    note: str | None


def gallery(rows: Sequence[Row], pairs: Mapping[str, tuple[StudyOutcome, Case]]) -> tuple[Plate, ...]:
    """Return the worst hips by each of `RANKINGS`: what was not measured though it is there, then what was.

    Parameters
    ----------
    rows : sequence of Row
    pairs : mapping of str to (StudyOutcome, Case)
        By study_id.
    """
    source = lru_cache(maxsize=1)(load_study)  # a study may be hundreds of megabytes
    plates = []
    for ranking in RANKINGS:
        missed = sorted(
            (row for row in rows if _is_missed(row, ranking)), key=lambda row: -_number(row, ranking.truth_column)
        )
        plates += [_missed(ranking, row) for row in missed[:_EACH]]
        measured = [row for row in rows if _is_worth_a_picture(row, ranking)]
        worst = sorted(measured, key=lambda row: -ranking.badness(_number(row, ranking.column)))[:_EACH]
        plates += [_plate(ranking, row, pairs[str(row["study_id"])], source) for row in worst]
    return tuple(plates)


def _number(row: Row, column: str | None) -> float:
    value = None if column is None else row.get(column)
    return value if isinstance(value, float) else 0.0


def _is_missed(row: Row, ranking: Ranking) -> bool:
    return _number(row, ranking.truth_column) > 0 and row.get(ranking.column) is None


def _is_worth_a_picture(row: Row, ranking: Ranking) -> bool:
    """Tell whether a hip was measured, and truth or program has anything of what is ranked."""
    if not isinstance(row.get(ranking.column), float):
        return False
    there = ranking.truth_column is None or _number(row, ranking.truth_column) > 0
    return there or ranking.badness(_number(row, ranking.column)) > 0


def _missed(ranking: Ranking, row: Row) -> Plate:
    whose = ", ".join(str(row[key]) for key in ("case", "side") if row.get(key) is not None)
    truth_ml = _number(row, ranking.truth_column)
    caption = f"{whose}: {truth_ml:.3g} ml in the truth (of {row['reader']})"
    reason = str(row.get("reason") or f"no_{ranking.structure}_mask").replace("_", " ")
    return Plate(ranking.title, caption, None, f"not measured: {reason}")


def _plate(ranking: Ranking, row: Row, pair: tuple[StudyOutcome, Case], source: Callable[[Path], Study]) -> Plate:
    study, case = pair
    caption = f"{case.name}, {row['side']}: {_number(row, ranking.column):.3g} (against {row['reader']})"
    hip = study.hips[Side(str(row["side"]))]
    found = hip.mask("edema" if ranking.structure == "edema" else "anatomy")
    if found is None:
        return Plate(ranking.title, caption, None, "The program has no mask of it.")
    reader = next(reader for reader in case.readers if reader.name == row["reader"])
    centers = {own: other.head_center for own, other in study.hips.items() if other.head_center is not None}
    truth = reader.hip(str(row["truth_series"]), hip.side, centers)
    code = 1 if ranking.structure == "edema" else REGIONS.index(ranking.structure) + 1
    result = np.asarray(found.array == code)
    drawn = brought_to(_drawn(truth, ranking.structure), truth.grid, found.grid).astype(bool)
    if not (result | drawn).any():
        return Plate(ranking.title, caption, None, "Nothing to draw: the truth's lies between the program's voxels.")
    signal, note = _signal(study, str(row["reference_series"]), found.grid, source)
    return Plate(ranking.title, caption, _picture(signal, result, drawn, found.grid), note)


def _drawn(truth: TruthHip, structure: str) -> Mask:
    if structure == "edema":
        return truth.masks["edema"]
    if truth.regions is None:
        return np.zeros(truth.grid.shape, dtype=bool)
    return np.asarray(truth.regions == REGIONS.index(structure) + 1)


def _signal(
    study: StudyOutcome, series: str, grid: Grid, source: Callable[[Path], Study]
) -> tuple[NDArray[np.generic] | None, str | None]:
    """Return the image on the grid of the masks, or None and why it is not there."""
    if study.source_folder is None:
        return None, "Outlines only: key.csv does not say where the images are."
    try:
        images = {item.name: item.image for item in source(study.source_folder).series}
    except TohMriError as error:
        return None, f"Outlines only: the images can no longer be read [{error.code}]."
    image = images.get(series)
    if image is None or not image.grid.matches(grid, tolerance_mm=0.05):
        return None, f"Outlines only: {series} is no longer what it was when it was analysed."
    return image.array, None


def _picture(signal: NDArray[np.generic] | None, result: Mask, drawn: Mask, grid: Grid) -> str:
    k = int((result ^ drawn).sum(axis=(1, 2)).argmax())
    _, row_mm, column_mm = grid.spacing_mm
    _, rows, columns = bounding_box(result | drawn)
    view = np.s_[
        max(0, rows.start - round(_MARGIN_MM / row_mm)) : rows.stop + round(_MARGIN_MM / row_mm),
        max(0, columns.start - round(_MARGIN_MM / column_mm)) : columns.stop + round(_MARGIN_MM / column_mm),
    ]
    shown = np.zeros(result.shape[1:]) if signal is None else signal[k].astype(np.float64)
    low, high = np.percentile(shown[view], _WINDOW_PERCENT)
    figure = Figure(figsize=(3.3, 3.3), facecolor="black")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    axes.imshow(shown[view], cmap="gray", vmin=low, vmax=max(high, low + 1), aspect=row_mm / column_mm)
    for mask, colour in ((drawn, ORANGE), (result, BLUE)):
        if mask[k].any():
            axes.contour(mask[k][view], levels=[0.5], colors=[colour], linewidths=1.4)
    handles = [Line2D([], [], color=c, label=text) for c, text in ((BLUE, "program"), (ORANGE, "truth"))]
    axes.legend(handles=handles, loc="lower left", fontsize=7, framealpha=0.6)
    return embedded(figure)
