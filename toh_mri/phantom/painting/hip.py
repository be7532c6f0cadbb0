"""Paint one hip, and tell which share of each sample its structures take."""

from __future__ import annotations

import numpy as np

from toh_mri.phantom.necrosis import Necrosis
from toh_mri.phantom.painting.canvas import Canvas, Mixture, Share, cover
from toh_mri.phantom.points import Block, Box, Field, Points, plane_distance
from toh_mri.phantom.replacement import Replacement
from toh_mri.phantom.scene import PELVIS_CORTEX_MM, Hip
from toh_mri.phantom.shapes import limit
from toh_mri.phantom.tissues import Tissue

_CYST_WALL_MM = 0.7
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
        shares |= _paint_pelvis(canvas, hip, pelvis)
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
    if hip.lesions.joint is not None:
        canvas.paint(block, fluid, Tissue.SYNOVIUM)
        fluid = cover(canvas.fine(hip.joint.fluid(p, femur) + hip.lesions.joint.synovium(p)))
    canvas.paint(block, fluid, Tissue.FLUID)
    outside = cover(canvas.fine(-femur)) * cover(canvas.fine(-hip.pelvis.distance(p)))
    return Share(canvas.window(block), fluid * outside)


def _paint_pelvis(canvas: Canvas, hip: Hip, block: Block) -> dict[str, Share]:
    local, p = _points(canvas, hip, block)
    bone = canvas.fine(hip.pelvis.distance(p))
    red = canvas.fine(limit(hip.marrow.red * (0.9 + 0.45 * hip.marrow.islands(p)), 0, 0.95))
    density = canvas.fine(0.93 - 0.09 * hip.marrow.trabeculae(p))
    mixture = canvas.palette[Tissue.YELLOW_MARROW].with_share(red, canvas.palette[Tissue.RED_MARROW])
    marrow = cover(bone + np.float32(PELVIS_CORTEX_MM))
    near = canvas.fine(local.norm()) < 2 * hip.landmarks.head.radius_mm
    shares: dict[str, Field] = {"acetabulum": cover(bone) * near}
    if hip.lesions.joint is not None:
        edema = canvas.fine(hip.lesions.acetabular_edema(p, hip.pelvis))
        mixture = mixture.with_share(edema, canvas.palette[Tissue.EDEMA])
        cysts = hip.lesions.acetabular_cysts(p, hip.pelvis)
        if cysts is not None:
            mixture, cyst = _cystic(canvas, mixture, cysts)
            edema = edema * (1 - cyst)
            shares["pelvic_cyst"] = marrow * cyst
        shares |= {"pelvic_marrow": marrow * near, "pelvic_edema": marrow * near * edema}
    if hip.lesions.replacement is not None:
        mixture, infiltrate = _infiltrated(canvas, hip.lesions.replacement, p, mixture)
        shares["pelvic_replacement"] = marrow * near * infiltrate
    canvas.paint(block, cover(bone), Tissue.CORTEX)
    canvas.paint(block, marrow, mixture.times(density))
    window = canvas.window(block)
    return {name: Share(window, share) for name, share in shares.items()}


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
    if hip.lesions.replacement is not None:
        mixture, infiltrate = _infiltrated(canvas, hip.lesions.replacement, p, mixture)
        shares["replacement"] = marrow * infiltrate
    mixture, in_marrow = _fractured_or_cystic(canvas, hip, p, mixture)
    for name, share in in_marrow.items():
        edema = edema * (1 - share)
        shares[name] = marrow * share
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


def _fractured_or_cystic(canvas: Canvas, hip: Hip, p: Points, mixture: Mixture) -> tuple[Mixture, dict[str, Field]]:
    """Lay fracture line and cysts into the femur's marrow; return it and the shares they take by name."""
    shares: dict[str, Field] = {}
    line = hip.lesions.line
    if line is not None:
        across, beyond = (canvas.fine(field) for field in line.sheet(p, hip.femur))
        half = np.float32(line.half_mm)
        share = (cover(across - half) - cover(across + half)) * cover(beyond)
        mixture = mixture.with_share(share, canvas.palette[line.tissue])
        shares[line.mask] = share
    cysts = hip.lesions.cysts(p, hip.femur)
    if cysts is not None:
        mixture, shares["cyst"] = _cystic(canvas, mixture, cysts)
    return mixture, shares


def _cystic(canvas: Canvas, mixture: Mixture, cysts: Field) -> tuple[Mixture, Field]:
    """Lay cysts into marrow; return it and the share of fluid."""
    distance = canvas.fine(cysts)
    wall, fluid = cover(distance - np.float32(_CYST_WALL_MM)), cover(distance)
    mixture = mixture.with_share(wall, canvas.palette[Tissue.SCLEROSIS])
    return mixture.with_share(fluid, canvas.palette[Tissue.FLUID]), fluid


def _infiltrated(canvas: Canvas, replacement: Replacement, p: Points, mixture: Mixture) -> tuple[Mixture, Field]:
    """Lay an infiltrate into marrow; return it and the share of marrow within the infiltrate's margins."""
    share = cover(canvas.fine(replacement.distance(p)))
    density = np.float32(replacement.density)
    return mixture.with_share(share * density, canvas.palette[Tissue.INFILTRATE]), share


def _necrotic(canvas: Canvas, necrosis: Necrosis, p: Points, reach: Field) -> tuple[Mixture, Field]:
    """Return the lesion's signal from its centre to the band, and the band's share."""
    palette = canvas.palette
    debris = canvas.fine(necrosis.interior(p))
    mixture = palette[Tissue.MUMMIFIED_FAT].with_share(debris, palette[necrosis.other_tissue])
    inner = cover(reach + np.float32(necrosis.band_mm))
    centre = cover(reach + np.float32(necrosis.band_mm + necrosis.granulation_mm))
    mixture = mixture.with_share(inner - centre, palette[Tissue.GRANULATION])
    band = cover(reach) - inner
    return mixture.with_share(1 - inner, palette[Tissue.SCLEROSIS]), band
