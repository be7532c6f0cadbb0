"""Paint everything but the joint: skin, fat, muscles, organs, spine, vessels."""

from __future__ import annotations

import numpy as np

from toh_mri.phantom.anatomy.body import ARTERY, VEIN
from toh_mri.phantom.painting.canvas import Canvas, Mixture, cover
from toh_mri.phantom.points import Box, Field
from toh_mri.phantom.scene import Hip, Scene
from toh_mri.phantom.shapes import bump, chain, ramp
from toh_mri.phantom.tissues import Tissue

_PELVIC_CAVITY = Box((-115.0, -90.0, -10.0), (115.0, 105.0, 185.0))
_HALF = Box((-102.0, -400.0, -400.0), (400.0, 400.0, 400.0))  # one side of the body, in the frame of its hip
_VESSELS = Box((-90.0, -75.0, -400.0), (75.0, 80.0, 140.0))
_SKIN_MM, _BOWEL_WALL_MM, _BLADDER_WALL_MM, _VERTEBRA_CORTEX_MM = 1.6, 2.2, 3.0, 1.0


def paint_body(canvas: Canvas, scene: Scene) -> None:
    """Paint the body without the bones of its hips."""
    fascia = _paint_cover(canvas, scene)
    for hip in scene.hips.values():
        _paint_muscles(canvas, hip, fascia)
    _paint_organs(canvas, scene)
    for hip in scene.hips.values():
        _paint_vessels(canvas, hip)


def _paint_cover(canvas: Canvas, scene: Scene) -> Field:
    """Paint skin and fat; return the distance to the deep fascia on the raster."""
    block = canvas.whole()
    p = canvas.lattice.points(block)
    distance = scene.body.skin(p)
    fascia, skin = canvas.fine(scene.body.fascia(p, distance)), canvas.fine(distance)
    under_skin = cover(skin + np.float32(_SKIN_MM))
    canvas.paint(block, cover(skin), Tissue.SKIN)
    lobulated = canvas.palette[Tissue.DEEP_FAT].times(canvas.fine(1 + 0.03 * scene.body.fat_texture(p)))
    canvas.paint(block, under_skin, Tissue.SUBCUTANEOUS_FAT)
    septa = bump(canvas.fine(scene.body.lobules(p)), 0.0, 0.05)
    canvas.paint(block, under_skin * septa * np.float32(0.5), Tissue.SEPTUM)
    fascia_lata = cover(fascia) * canvas.fine(ramp(np.abs(p.x), 75.0, 125.0))
    canvas.paint(block, fascia_lata, Tissue.FASCIA)
    canvas.paint(block, cover(fascia + np.float32(0.8)), lobulated)
    return fascia


def _paint_muscles(canvas: Canvas, hip: Hip, fascia: Field) -> None:
    block = canvas.block(hip.to_world_box(_HALF))
    if block is None:
        return
    p = hip.to_local(canvas.lattice.points(block))
    room = fascia[canvas.window(block)] + np.float32(1.2)
    muscle = np.maximum(canvas.fine(hip.muscles.distance(p)), room)
    fat = canvas.fine(hip.muscles.fat_between_fibres(p))
    mixture = canvas.palette[Tissue.MUSCLE].with_share(fat, canvas.palette[Tissue.DEEP_FAT])
    canvas.paint(block, cover(muscle), mixture)


def _paint_organs(canvas: Canvas, scene: Scene) -> None:
    block = canvas.block(_PELVIC_CAVITY)
    if block is None:
        return
    p = canvas.lattice.points(block)
    for filling, content in enumerate((Tissue.AIR, Tissue.BOWEL_PULP, Tissue.URINE)):
        loops = canvas.fine(scene.body.bowel(p, filling))
        canvas.paint(block, cover(loops), Tissue.BOWEL_WALL)
        canvas.paint(block, cover(loops + np.float32(_BOWEL_WALL_MM)), content)
    bladder = canvas.fine(scene.body.bladder_distance(p))
    canvas.paint(block, cover(bladder), Tissue.BOWEL_WALL)
    canvas.paint(block, cover(bladder + np.float32(_BLADDER_WALL_MM)), Tissue.URINE)
    spine = canvas.fine(scene.body.vertebrae(p))
    canvas.paint(block, cover(canvas.fine(scene.body.discs(p))), Tissue.DISC)
    canvas.paint(block, cover(spine), Tissue.CORTEX)
    marrow: Mixture = canvas.palette[Tissue.YELLOW_MARROW]
    marrow = marrow.with_share(np.full(1, 0.8, dtype=np.float32), canvas.palette[Tissue.RED_MARROW])
    canvas.paint(block, cover(spine + np.float32(_VERTEBRA_CORTEX_MM)), marrow)


def _paint_vessels(canvas: Canvas, hip: Hip) -> None:
    block = canvas.block(hip.to_world_box(_VESSELS))
    if block is None:
        return
    p = hip.to_local(canvas.lattice.points(block))
    branches = np.minimum.reduce([chain(p, branch) for branch in hip.muscles.vessels])
    canvas.paint(block, cover(canvas.fine(branches)), Tissue.BLOOD_SLOW)
    canvas.paint(block, cover(canvas.fine(chain(p, VEIN))), Tissue.BLOOD_SLOW)
    canvas.paint(block, cover(canvas.fine(chain(p, ARTERY))), Tissue.BLOOD_FAST)
