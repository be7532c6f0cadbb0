"""The files of an evaluation."""

from __future__ import annotations

import json
from pathlib import Path

from toh_mri.core.errors import ExportError
from toh_mri.core.tables import csv_text
from toh_mri.evaluation.compare import PARTS, STRUCTURES
from toh_mri.evaluation.evaluate import Evaluation
from toh_mri.evaluation.page import page
from toh_mri.evaluation.readers import READER_COLUMNS
from toh_mri.evaluation.truth import LINES, REGIONS

HIP_COLUMNS = (
    *("case", "study_id", "patient", "reader", "side", "class", "difficulty", "reference_series", "contrast"),
    *("slice_spacing_mm", "truth_series", "status", "reason"),
    *(f"{name}_{end}" for name in REGIONS[:2] for end in ("dice", "surface_distance_mm", "hausdorff95_mm")),
    *("head_center_error_mm", "head_diameter_error_mm", "head_volume_error_percent", "neck_axis_error_degree"),
    *("segmentation_confidence", "edema_dice"),
    *(f"edema_{part}_{end}" for part in PARTS for end in ("ml", "truth_ml", "difference_ml")),
    *(f"edema_{part}_dice" for part in REGIONS),
    *(f"{name}_{end}" for name in STRUCTURES for end in ("ml", "truth_ml", "difference_ml", "dice")),
    *(
        f"{line}_{end}"
        for line in LINES
        for end in (
            *("truth", "present", "truth_length_mm", "length_mm"),
            *("truth_found_fraction", "found_true_fraction"),
        )
    ),
    *("pattern", "flags", "pattern_accepted", "probability_on"),
)
"""Columns of ``evaluation_hips.csv``."""


def write_evaluation(made: Evaluation, out: Path) -> Path:
    """Write ``evaluation.html``, ``.json``, ``_hips.csv`` and, with two readers, ``_readers.csv``; returns the page.

    Raises
    ------
    ExportError
        ``not_writable``.
    """
    files = {
        "evaluation_hips.csv": csv_text(made.hips, HIP_COLUMNS),
        "evaluation.json": json.dumps(made.as_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n",
        "evaluation.html": page(made),
    }
    if made.readers:
        files["evaluation_readers.csv"] = csv_text(made.readers, READER_COLUMNS)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (out / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ExportError(
            "not_writable",
            f"The evaluation could not be written: {error.strerror}.",
            "Choose an output folder you may write to.",
        ) from error
    return out / "evaluation.html"
