"""The truth of a case: exact volumes and landmarks of every hip, and masks on the grid of every series.

Names follow the truth layout that ``evaluate`` reads, which differs from the project's own in places:
``proximal_rest`` is the project's ``proximal_femur``, ``line_serpiginous`` its ``band``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from toh_mri.geometry import Side
from toh_mri.phantom.disease import EDEMA_THRESHOLD
from toh_mri.phantom.points import Field, Points, plane_distance
from toh_mri.phantom.scene import PELVIS_CORTEX_MM, Hip
from toh_mri.phantom.shapes import limit

BONES = ("femoral_head", "femoral_neck", "proximal_rest", "acetabulum")
"""Structures of the label image, in the order of their codes."""

SIDE_LETTER = {Side.RIGHT: "R", Side.LEFT: "L"}
_FIRST_CODE = {Side.RIGHT: 1, Side.LEFT: 11}

_THIN_SHARE = 0.35
"""A voxel belongs to a line that takes this much of it: lines are thinner than slices."""

_MEASURED = (*BONES, "edema", "necrosis", "line_serpiginous", "effusion")
_WHERE_PRESENT = ("line_subchondral", "line_neck", "cyst", "replacement")
"""Structures that have a mask only in cases that have the structure."""

_STEP_MM = 1.0
_EXTENT = ((-45.0, 80.0), (-48.0, 50.0), (-75.0, 45.0))  # of the hip's frame that volumes are taken in


def label_codes() -> dict[str, dict[str, int]]:
    """Return the codes of the label image by side's letter and structure."""
    return {SIDE_LETTER[side]: {name: first + k for k, name in enumerate(BONES)} for side, first in _FIRST_CODE.items()}


def masks_of(
    shares: Mapping[Side, Mapping[str, NDArray[np.float32]]], shape: tuple[int, int, int]
) -> dict[str, NDArray[np.uint8]]:
    """Turn the shares of every voxel into masks; a structure that has no share is nowhere.

    Returns
    -------
    dict of str to ndarray of uint8, shape (slices, rows, columns)
        ``labels`` (bone with its cortex, code of the structure that takes most of a voxel at least half
        filled with bone), ``edema``, ``edema_fraction_x255``, ``necrosis``, ``effusion`` and
        ``line_serpiginous``; ``line_subchondral`` (a crescent's line too), ``line_neck``, ``cyst`` and
        ``replacement`` in cases that have them; both sides in one.
    """
    parts = [_masks_of_side(side, own, shape) for side, own in shares.items()]
    names = dict.fromkeys(name for part in parts for name in part)
    nothing = np.zeros(shape, dtype=np.uint8)
    return {name: np.maximum.reduce([part.get(name, nothing) for part in parts]) for name in names}


def _masks_of_side(
    side: Side, shares: Mapping[str, NDArray[np.float32]], shape: tuple[int, int, int]
) -> dict[str, NDArray[np.uint8]]:
    share = defaultdict(lambda: np.zeros(shape, dtype=np.float32), shares)
    bones = np.stack([share[name] for name in BONES])
    marrow, edema = share["marrow"] + share["pelvic_marrow"], share["edema"] + share["pelvic_edema"]
    fraction = np.where(marrow >= 0.5, edema / np.maximum(marrow, 0.5), 0)
    necrosis, cyst = share["necrosis"] >= 0.5, share["cyst"] + share["pelvic_cyst"] >= 0.5
    masks = {
        "labels": np.where(bones.sum(axis=0) >= 0.5, bones.argmax(axis=0) + _FIRST_CODE[side], 0),
        "edema": (fraction > EDEMA_THRESHOLD) & ~necrosis & ~cyst,
        "edema_fraction_x255": np.rint(np.clip(fraction, 0, 1) * 255),
        "necrosis": necrosis,
        "effusion": share["effusion"] >= 0.5,
        "line_serpiginous": share["band"] >= _THIN_SHARE,
    }
    optional = {
        "line_subchondral": share["line_subchondral"] >= _THIN_SHARE,
        "line_neck": share["line_neck"] >= _THIN_SHARE,
        "cyst": cyst,
        "replacement": share["replacement"] + share["pelvic_replacement"] >= 0.5,
    }
    masks |= {name: mask for name, mask in optional.items() if name in shares}
    return {name: mask.astype(np.uint8) for name, mask in masks.items()}


def hip_truth(hip: Hip) -> dict[str, object]:
    """Measure one hip on a lattice of 1 mm, partly filled cells counted as far as they are filled.

    Returns
    -------
    dict
        The entry of this hip in ``truth.json``: volumes in ml, lengths in mm, LPS.
    """
    marks = hip.landmarks
    volumes = _volumes(hip)
    head = volumes["femoral_head"]
    plane = marks.intertrochanteric
    normal = hip.to_world_direction(plane.normal)
    point = hip.to_world(np.multiply(plane.offset_mm, plane.normal))
    return {
        "cls": str(hip.lesions.disease),
        "head_center_lps": hip.to_world(marks.head.center).tolist(),
        "head_radius_mm": marks.head.radius_mm,
        "neck_axis_lps": hip.to_world_direction(marks.neck_axis).tolist(),
        "head_neck_plane_t_mm": marks.head_neck_mm,
        "intertrochanteric_plane": {"normal_lps": normal.tolist(), "offset_mm": float(normal @ point)},
        "volumes_ml": {name: volumes[name] for name in (*_MEASURED, *_WHERE_PRESENT) if name in volumes},
        "head_ml": head,
        "neck_ml": volumes["femoral_neck"],
        "edema_ml": volumes["edema"],
        "edema_head_ml": volumes["edema_head"],
        "edema_neck_ml": volumes["edema_neck"],
        "edema_acetabulum_ml": volumes["edema_acetabulum"],
        "edema_percent_of_head": 100 * volumes["edema_head"] / head,
        "necrosis_ml": volumes["necrosis"],
        "necrosis_percent_of_head": 100 * volumes["necrosis"] / head,
        "effusion_ml": volumes["effusion"],
    }


def joint_params(hips: Mapping[Side, Hip]) -> dict[str, dict[str, dict[str, object]]]:
    """Return the entry ``joint`` of ``params``: fracture lines and collapse as drawn, by the side's letter.

    Returns
    -------
    dict
        ``{"joint": {"R": {"cls": ..., "subchondral": {"length": mm, "half": mm}}}}``, likewise ``neck``, ``crescent``
        (``ang``: radians from its middle to its end) and ``depression``; empty where no hip has any of them.
    """
    joint: dict[str, dict[str, object]] = {}
    for side, hip in hips.items():
        line, depression = hip.lesions.line, hip.lesions.deformity.depression
        drawn = {} if line is None else {line.name: _numbers(line)}
        if depression is not None:
            drawn["depression"] = _numbers(depression)
        if drawn:
            joint[SIDE_LETTER[side]] = {"cls": str(hip.lesions.disease), **drawn}
    return {"joint": joint} if joint else {}


def _numbers(part: object) -> dict[str, bool | float]:
    """Return what a part was drawn with, under the names of the truth layout."""
    named = {"ang" if key == "angle" else key.removesuffix("_mm"): value for key, value in vars(part).items()}
    return {key: value for key, value in named.items() if isinstance(value, bool | float)}


def _volumes(hip: Hip) -> dict[str, float]:
    axes = [np.arange(low, high, _STEP_MM, dtype=np.float32) for low, high in _EXTENT]
    local = Points(*np.meshgrid(*axes, indexing="ij"))
    p = hip.warp(local)
    distance = hip.femur.distance(p)
    bone, marrow = _filled(distance), _filled(distance + hip.femur.cortex(p))
    in_head = _filled(plane_distance(hip.landmarks.head_neck_plane, local))
    in_rest = _filled(-plane_distance(hip.landmarks.intertrochanteric, local)) * (1 - in_head)
    lesion, band = _lesion(hip, p)
    inside = _line_or_cyst(hip, p)
    edematous = (hip.lesions.edema_fraction(p, hip.femur) > EDEMA_THRESHOLD) * marrow * (1 - lesion * in_head)
    for share in inside.values():
        edematous = edematous * (1 - share)
    near = local.norm() < 2 * hip.landmarks.head.radius_mm
    pelvis = hip.pelvis.distance(p)
    edema_acetabulum, cyst_acetabulum = _acetabular(hip, p, pelvis, near)
    fluid = hip.joint.fluid(p, distance)
    if hip.lesions.joint is not None:
        fluid = fluid + hip.lesions.joint.synovium(p)
    shares: dict[str, Field] = {
        "femoral_head": bone * in_head,
        "femoral_neck": bone * (1 - in_head - in_rest),
        "proximal_rest": bone * in_rest,
        "acetabulum": _filled(pelvis) * near,
        "edema": edematous + edema_acetabulum,
        "edema_head": edematous * in_head,
        "edema_neck": edematous * (1 - in_head - in_rest),
        "edema_acetabulum": edema_acetabulum,
        "necrosis": bone * lesion * in_head,
        "line_serpiginous": marrow * band * in_head,
        "effusion": _filled(fluid) * (1 - bone) * _filled(-pelvis),
    }
    shares |= {name: marrow * share for name, share in inside.items()}
    if "cyst" in shares:
        shares["cyst"] = shares["cyst"] + cyst_acetabulum
    if hip.lesions.replacement is not None:
        pelvic_marrow = _filled(pelvis + np.float32(PELVIS_CORTEX_MM)) * near
        shares["replacement"] = _filled(hip.lesions.replacement.distance(p)) * (marrow + pelvic_marrow)
    cell_ml = _STEP_MM**3 / 1000
    return {name: float(share.sum(dtype=np.float64)) * cell_ml for name, share in shares.items()}


def _line_or_cyst(hip: Hip, p: Points) -> dict[str, Field]:
    """Return the shares that fracture line and cysts would take, not limited to marrow."""
    shares: dict[str, Field] = {}
    line, cysts = hip.lesions.line, hip.lesions.cysts(p, hip.femur)
    if line is not None:
        across, beyond = line.sheet(p, hip.femur)
        half = np.float32(line.half_mm)
        shares[line.mask] = (_filled(across - half) - _filled(across + half)) * _filled(beyond)
    if cysts is not None:
        shares["cyst"] = _filled(cysts)
    return shares


def _acetabular(hip: Hip, p: Points, pelvis: Field, near: NDArray[np.bool_]) -> tuple[Field, Field]:
    """Return the shares of edema and of cysts in the acetabulum."""
    marrow = _filled(pelvis + np.float32(PELVIS_CORTEX_MM)) * near
    edema = (hip.lesions.acetabular_edema(p, hip.pelvis) > EDEMA_THRESHOLD) * marrow
    cysts = hip.lesions.acetabular_cysts(p, hip.pelvis)
    if cysts is None:
        return edema, np.zeros_like(edema)
    return edema * (1 - _filled(cysts)), marrow * _filled(cysts)


def _lesion(hip: Hip, p: Points) -> tuple[Field, Field]:
    """Return the shares of necrosis and of its band, not limited to the head."""
    necrosis = hip.lesions.necrosis
    if necrosis is None:
        nothing = np.zeros_like(p.x)
        return nothing, nothing
    reach = necrosis.distance(p)
    lesion = _filled(reach)
    return lesion, lesion - _filled(reach + np.float32(necrosis.band_mm))


def _filled(distance: Field) -> Field:
    return limit(0.5 - distance / np.float32(_STEP_MM), 0, 1)
