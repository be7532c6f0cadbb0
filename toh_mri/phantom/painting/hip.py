"""Paint one hip, and tell which share of each sample its structures take."""

from __future__ import annotations

import numpy as np

from toh_mri.phantom.disease import Necrosis
from toh_mri.phantom.painting.canvas import Canvas, Mixture, Share, cover
from toh_mri.phantom.points import Block, Box, Field, Points, plane_distance
from toh_mri.phantom.scene import Hip
from toh_mri.phantom.shapes import limit
from toh_mri.phantom.tissues import Tissue

_PELVIS_CORTEX_MM = 1.1
_PELVIS = Box((-110.0, -85.0, -115.0), (80.0, 105.0, 135.0))
_FEMUR = Box((-45.0, -45.0, -400.0), (90.0, 55.0, 45.0))
_JOINT = Box((-45.0, -50.0, -65.0), (70.0, 50.0, 45.0))


def paint_hip(canvas: Canvas, hip: Hip) -> dict[str, Share]:
    """Paint joint and bones of one hip; return the truth of this slice by name of structure."""
    shares: dict[str, Share] = {}
    joint, pelvis, femur = (canvas.block(hip.to_world_box(box)) for box in (_JOINT, _PELVIS, _FEMUR))
    if joint is not None:
        shares["effusion"] = _paint_capsule(canvas, hip, joint)
    if pelvis is not None:
        shares["acetabulum"] = _paint_pelvis(canvas, hip, pelvis)
    if joint is not None:
        _paint_socket(canvas, hip, joint)
    if femur is not None:
        shares |= _paint_femur(canvas, hip, femur)
    return shares


def _points(canvas: Canvas, hip: Hip, block: Block) -> tuple[Points, Points]:
    """Return the points of a block in the hip's frame, as they are and as its bones' shapes see them."""
    p = hip.to_local(canvas.lattice.points(block))
    return p, hip.warp(p)


def _paint_capsule(canvas: Canvas, hip: Hip, block: Block) -> Share:
    _, p = _points(canvas, hip, block)
    femur = hip.femur.distance(p)
    fluid = cover(canvas.fine(hip.joint.fluid(p, femur)))
    canvas.paint(block, cover(canvas.fine(hip.joint.capsule(p, femur))), Tissue.CAPSULE)
    canvas.paint(block, fluid, Tissue.FLUID)
    outside = cover(canvas.fine(-femur)) * cover(canvas.fine(-hip.pelvis.distance(p)))
    return Share(canvas.window(block), fluid * outside)


def _paint_pelvis(canvas: Canvas, hip: Hip, block: Block) -> Share:
    local, p = _points(canvas, hip, block)
    bone = canvas.fine(hip.pelvis.distance(p))
    red = canvas.fine(limit(hip.marrow.red * (0.9 + 0.45 * hip.marrow.islands(p)), 0, 0.95))
    density = canvas.fine(0.93 - 0.05 * hip.marrow.trabeculae(p))
    marrow = canvas.palette[Tissue.YELLOW_MARROW].with_share(red, canvas.palette[Tissue.RED_MARROW])
    canvas.paint(block, cover(bone), Tissue.CORTEX)
    canvas.paint(block, cover(bone + np.float32(_PELVIS_CORTEX_MM)), marrow.times(density))
    near = canvas.fine(local.norm()) < 2 * hip.landmarks.head.radius_mm
    return Share(canvas.window(block), cover(bone) * near)


def _paint_socket(canvas: Canvas, hip: Hip, block: Block) -> None:
    """Paint cartilage, film of fluid, fossa, ligament and labrum."""
    _, p = _points(canvas, hip, block)
    joint, pelvis = hip.joint, hip.pelvis
    inside = cover(canvas.fine(pelvis.beyond_rim(p)))
    lunate = cover(canvas.fine(pelvis.lunate_distance(p)))
    canvas.paint(block, cover(canvas.fine(pelvis.socket_distance(p))) * inside, Tissue.DEEP_FAT)
    canvas.paint(block, lunate * inside, Tissue.CARTILAGE)
    canvas.paint(block, cover(canvas.fine(joint.acetabular_gap(p))) * lunate * inside, Tissue.FLUID)
    canvas.paint(block, cover(canvas.fine(joint.labrum(p))), Tissue.LABRUM)
    canvas.paint(block, cover(canvas.fine(joint.ligament(p))), Tissue.CAPSULE)
    cartilage = joint.femoral_cartilage(p, hip.femur.distance(p))
    canvas.paint(block, cover(canvas.fine(cartilage)), Tissue.CARTILAGE)


def _paint_femur(canvas: Canvas, hip: Hip, block: Block) -> dict[str, Share]:
    local, p = _points(canvas, hip, block)
    distance = hip.femur.distance(p)
    bone = cover(canvas.fine(distance))
    marrow = cover(canvas.fine(distance + hip.femur.cortex(p)))
    beyond_head = canvas.fine(plane_distance(hip.landmarks.head_neck_plane, local))
    in_head = cover(beyond_head)
    edema = canvas.fine(hip.lesions.edema_fraction(p, hip.femur))
    mixture = canvas.palette[Tissue.YELLOW_MARROW]
    mixture = mixture.with_share(canvas.fine(hip.red_marrow(p)), canvas.palette[Tissue.RED_MARROW])
    shares: dict[str, Field] = {}
    if hip.lesions.necrosis is None:
        mixture = mixture.with_share(edema, canvas.palette[Tissue.EDEMA])
    else:
        reach = canvas.fine(hip.lesions.necrosis.distance(p))
        lesion = cover(reach) * in_head
        edema = edema * (1 - lesion)
        mixture = mixture.with_share(edema, canvas.palette[Tissue.EDEMA])
        inside, band = _necrotic(canvas, hip.lesions.necrosis, p, reach)
        mixture = mixture.with_share(lesion, inside)
        shares |= {"necrosis": bone * lesion, "band": marrow * band * in_head}
    mixture = mixture.times(canvas.fine(hip.bone_density(p)))
    canvas.paint(block, bone, Tissue.CORTEX)
    canvas.paint(block, marrow, mixture)
    beyond_neck = cover(canvas.fine(-plane_distance(hip.landmarks.intertrochanteric, local))) * (1 - in_head)
    shares |= {
        "femoral_head": bone * in_head,
        "femoral_neck": bone * (1 - in_head - beyond_neck),
        "proximal_rest": bone * beyond_neck,
        "marrow": marrow,
        "edema": marrow * edema,
    }
    window = canvas.window(block)
    return {name: Share(window, share) for name, share in shares.items()}


def _necrotic(canvas: Canvas, necrosis: Necrosis, p: Points, reach: Field) -> tuple[Mixture, Field]:
    """Return the lesion's signal from its centre to the band, and the band's share."""
    palette = canvas.palette
    debris = canvas.fine(necrosis.interior(p))
    mixture = palette[Tissue.MUMMIFIED_FAT].with_share(debris, palette[Tissue.DEBRIS])
    inner = cover(reach + np.float32(necrosis.band_mm))
    centre = cover(reach + np.float32(necrosis.band_mm + necrosis.granulation_mm))
    mixture = mixture.with_share(inner - centre, palette[Tissue.GRANULATION])
    band = cover(reach) - inner
    return mixture.with_share(1 - inner, palette[Tissue.SCLEROSIS]), band
