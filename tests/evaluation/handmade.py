"""Results and truths small enough to know every figure of."""

import csv
import json

import numpy as np

from toh_mri.geometry import Grid, Image
from toh_mri.io import write_nifti

SPACING = (4.0, 1.0, 1.0)
CENTER = {"right": (-60.0, 0.0, 0.0), "left": (60.0, 0.0, 0.0)}
CODE = {"right": 0, "left": 10}
COLUMNS = (
    *("study_id", "side", "status", "reason", "pattern", "probability_on", "edema_volume_ml", "head_diameter_mm"),
    *("head_center_x_mm", "head_center_y_mm", "head_center_z_mm", "band_present", "band_length_mm"),
    *("subchondral_line_present", "subchondral_line_length_mm", "neck_line_present"),
    *("reference_series", "slice_spacing_mm", "flags", "segmentation_confidence"),
    *("neck_axis_x", "neck_axis_y", "neck_axis_z"),
)


def coronal_grid(*, reverse=False, width=200, slices=9):
    """Coronal slices, 4 mm apart, pixels of 1 mm; both hips in view at a width of 200."""
    order = -1.0 if reverse else 1.0
    affine = np.eye(4)
    affine[:3, 0] = (0, order * SPACING[0], 0)
    affine[:3, 1] = (0, 0, -1)
    affine[:3, 2] = (1, 0, 0)
    affine[:3, 3] = (-(width - 1) / 2, -order * SPACING[0] * (slices - 1) / 2, 30)
    return Grid((slices, 61, width), affine)


GRID = coronal_grid()


def ball(grid, center, radius):
    return np.linalg.norm(grid.voxel_centres() - center, axis=-1) <= radius


def labels(grid, sides=("right",), *, radius=15.0, first=None):
    """Head: a ball; neck: a smaller ball to its outer side."""
    array = np.zeros(grid.shape, np.uint8)
    for side in sides:
        code = CODE[side] if first is None else first  # results use 1 and 2 on either side
        out = np.sign(CENTER[side][0]) * 18.0
        array[ball(grid, np.add(CENTER[side], (out, 0, -8)), 9.0)] = code + 2
        array[ball(grid, CENTER[side], radius)] = code + 1
    return array


def edema(grid, side="right", radius=8.0):
    return ball(grid, CENTER[side], radius).astype(np.uint8)


def line(grid, side="right", *, rows=(20, 21), length=24):
    """A straight line in the middle slice, through the head's upper part, along the columns."""
    array = np.zeros(grid.shape, np.uint8)
    k = grid.shape[0] // 2
    column = round(float(grid.to_index(CENTER[side])[2]))
    array[k, rows[0] : rows[1], column - length // 2 : column + length // 2] = 1
    return array


def write_results(folder, studies, *, key=None):
    """Write results; `studies` maps an id to a reason, or by side to {"row": cells, "grid": grid, "anatomy": array}."""
    rows = []
    for study_id, hips in studies.items():
        place = folder / "studies" / study_id
        place.mkdir(parents=True)
        if isinstance(hips, str):
            rows.append({"study_id": study_id, "status": "failed", "reason": hips})
            continue
        info = {"name": "COR_STIR", "role": {"contrast": "STIR"}}
        (place / "study.json").write_text(json.dumps({"series": [{"info": info}]}))
        for side, hip in hips.items():
            (place / f"hip-{side}").mkdir()
            x, y, z = CENTER[side]
            rows.append(
                {"study_id": study_id, "side": side, "status": "ok", "reference_series": "COR_STIR"}
                | {"slice_spacing_mm": 4, "head_diameter_mm": 31, "band_present": "false"}
                | {"subchondral_line_present": "false", "neck_line_present": "false"}
                | {"head_center_x_mm": x, "head_center_y_mm": y, "head_center_z_mm": z}
                | hip.get("row", {})
            )
            masks = ("anatomy", "edema", "band", "subchondral_line", "neck_line", "necrosis", "effusion", "cyst")
            for name in masks:
                if name in hip:
                    write_nifti(place / f"hip-{side}" / f"{name}.nii.gz", Image(hip[name], hip["grid"]))
    write_table(folder / "hips.csv", COLUMNS, rows)
    if key is not None:
        columns = ("study_id", "source_folder", "source_series")
        write_table(folder / "key.csv", columns, [dict(zip(columns, row, strict=True)) for row in key])


def write_table(path, columns, rows):
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(rows)


def write_masks(folder, series, grid, **masks):
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in masks.items():
        write_nifti(folder / f"{series}_{name}.nii.gz", Image(array, grid))


def write_truth_json(folder, hips, *, params=None, series=None, difficulty="standard"):
    """`hips` maps R or L to the class or to facts."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = {side: {"cls": hip} if isinstance(hip, str) else hip for side, hip in hips.items()}
    content = {"hips": facts, "difficulty": difficulty, "params": params or {}, "series": series or {}}
    (folder / "truth.json").write_text(json.dumps(content))


def hip(row=None, *, sides=("right",), shift=0, **masks):
    """A hip of the results; its masks may be moved along the columns."""
    arrays = {"anatomy": np.roll(labels(GRID, sides, first=0), shift, axis=2), **masks}
    return {"grid": GRID, "row": row or {}, **arrays}
