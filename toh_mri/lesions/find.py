"""Edema and focal lines of one hip: the stage."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from toh_mri.core.config.lesions import LesionsConfig
from toh_mri.core.errors import QuantificationError
from toh_mri.core.hip import LINES, Anatomy, Finding, Findings, HipImages, Label, Structure
from toh_mri.geometry import Grid, Image
from toh_mri.lesions.edema import Edema, find_edema
from toh_mri.lesions.kinds import kind_of
from toh_mri.lesions.lines import trace_series
from toh_mri.lesions.linking import Line, View, link_lines
from toh_mri.lesions.place import BonePlace

_NOT_LOOKED_FOR = (Structure.NECROSIS, Structure.EFFUSION, Structure.CYST)
_EDEMA_BESIDE_MM = 5.0
_RASTER_STEP_MM = 0.3


def find_lesions(images: HipImages, anatomy: Anatomy, config: LesionsConfig) -> Findings:
    """Find edema, bands, subchondral lines and neck lines of one hip.

    Parameters
    ----------
    images : HipImages
        Series of the hip; the reference first. Edema is measured on its native samples.
    anatomy : Anatomy
        On the reference series' cropped grid.
    config : LesionsConfig

    Returns
    -------
    Findings
        A structure that could not be looked for is in `absent` with its reason code; so is edema where the study
        has no fluid-sensitive series or no reference marrow.
    """
    absent = dict.fromkeys(_NOT_LOOKED_FOR, "not_looked_for")
    edema: Edema | None = None
    notes: tuple[str, ...] = ()
    try:
        edema = find_edema(images, anatomy, config)
        notes = edema.notes
    except QuantificationError as error:
        absent[Structure.EDEMA] = error.code
        notes = (f"Edema was not measured: {error.message}",)
    absent |= _unseen_lines(images, anatomy, edema)
    view = View(len(images.series), anatomy.dimensionality)
    lines = _lines(images, anatomy, config, view)
    lines = [line for line in lines if line.structure not in absent and _is_plausible(line, edema, anatomy)]
    grid = anatomy.labels.grid
    masks = {structure: Image(_raster(lines, structure, grid), grid) for structure in LINES if structure not in absent}
    items = [_line_finding(line, lines, images, anatomy, view, config) for line in lines]
    if edema is not None:
        masks[Structure.EDEMA] = Image(edema.mask, grid)
        items = [*_edema_finding(edema, images), *items]
    return Findings(
        items=tuple(items),
        masks=masks,
        absent=absent,
        statistics=edema.statistics if edema else {},
        absent_statistics=edema.absent if edema else {},
        notes=notes,
    )


def _unseen_lines(images: HipImages, anatomy: Anatomy, edema: Edema | None) -> dict[Structure, str]:
    """Give the reason for each kind of line that these pictures cannot show."""
    t1_like = any(series.info.role is not None and series.info.role.contrast.is_t1_like for series in images.series)
    if edema is None and not t1_like:  # on a fat-suppressed series dark lines show in bright marrow only
        return dict.fromkeys(LINES, "no_t1_series")
    return {} if anatomy.mask(Label.FEMORAL_NECK).any() else {Structure.NECK_LINE: "no_femoral_neck"}


def _lines(images: HipImages, anatomy: Anatomy, config: LesionsConfig, view: View) -> list[Line]:
    """Trace every series on its own grid, name the segments, link them."""
    place = BonePlace.of(anatomy)
    segments = [segment for series in images.series for segment in trace_series(series, place, config)]
    kinds = [(kind, s) for s in segments if (kind := kind_of(s, anatomy, config)) is not None]
    return link_lines(kinds, view, config)


def _is_plausible(line: Line, edema: Edema | None, anatomy: Anatomy) -> bool:
    """Tell whether a line that needs edema beside it has it.

    A neck line does where edema could be measured (stress fractures come with edema); so does every line that no
    T1-like series shows: on a fat-suppressed series dark lines show in bright marrow only.
    """
    on_t1 = any(segment.t1_like for segment in line.segments)
    if edema is None:
        return on_t1
    if on_t1 and line.structure is not Structure.NECK_LINE:
        return True
    if not edema.mask.any():
        return False
    grid = anatomy.labels.grid
    distance = ndimage.distance_transform_edt(~edema.mask, sampling=grid.nominal_spacing_mm)
    points = np.concatenate([segment.points for segment in line.segments])
    beside = Image(distance.astype(np.float32), grid).sample(points, outside=np.inf) <= _EDEMA_BESIDE_MM
    return bool(beside.mean() >= 0.5)


def _raster(lines: list[Line], structure: Structure, grid: Grid) -> NDArray[np.bool_]:
    """Mark the voxels of a grid that the lines of one structure run through."""
    out = np.zeros(grid.shape, dtype=bool)
    for line in lines:
        for segment in line.segments if line.structure is structure else ():
            index = grid.nearest(_dense(segment.points))
            inside = ((index >= 0) & (index < grid.shape)).all(axis=1)
            out[tuple(index[inside].T)] = True
    return out


def _dense(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate a line so that no voxel it runs through is missed."""
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    position = np.arange(0.0, along[-1] + _RASTER_STEP_MM, _RASTER_STEP_MM)
    return np.stack([np.interp(position, along, axis) for axis in points.T], axis=1)


def _line_finding(
    line: Line, lines: list[Line], images: HipImages, anatomy: Anatomy, view: View, config: LesionsConfig
) -> Finding:
    """Describe a line; numbered within its structure, the surest first."""
    number = [id(other) for other in lines if other.structure is line.structure].index(id(line)) + 1
    depth = np.concatenate([segment.depth_mm for segment in line.segments])
    return Finding(
        id=f"{line.structure.value}-{number}",
        structure=line.structure,
        confidence=line.confidence(view, config),
        series=line.series,
        slices=_reference_slices(line, images),
        polylines_lps_mm=tuple(
            tuple((float(x), float(y), float(z)) for x, y, z in segment.points.round(2)) for segment in line.segments
        ),
        measures={
            "length_mm": line.length_mm,
            "extent_mm": line.extent_mm,
            "depth_median_mm": float(np.median(depth)),
            "depth_max_mm": float(depth.max()),
            "band_depth_ratio": float(depth.max()) / (2.0 * anatomy.head.radius_mm),
            "contrast_fraction": line.contrast,
            "thickness_mm": float(np.median([segment.thickness_mm for segment in line.segments])),
            "slices_count": float(line.slices),
        },
    )


def _reference_slices(line: Line, images: HipImages) -> tuple[int, ...]:
    """Slices of the whole reference series that a line runs through."""
    grid = images.reference_series.image.grid
    points = np.concatenate([segment.points for segment in line.segments])
    index = grid.nearest(points)[:, 0]
    inside = index[(index >= 0) & (index < grid.shape[0])]
    return tuple(int(k) + images.crop_start[0] for k in np.unique(inside))


def _edema_finding(edema: Edema, images: HipImages) -> list[Finding]:
    """Describe the edema. Confidence: its volume at the strictest threshold over that at the most lenient."""
    if not edema.mask.any():
        return []
    measures = {name: value for name, value in edema.statistics.items() if name.startswith("edema_")}
    at = {name.split("_sd_")[0]: value for name, value in measures.items() if "_sd_" in name}
    slices = np.flatnonzero(edema.mask.any(axis=(1, 2)))
    finding = Finding(
        id=Structure.EDEMA.value,
        structure=Structure.EDEMA,
        confidence=round(min(1.0, at["edema_at_3"] / max(at["edema_at_2"], 1e-9)), 4),
        series=(images.reference,),
        slices=tuple(int(k) + images.crop_start[0] for k in slices),
        polylines_lps_mm=(),
        measures=measures,
    )
    return [finding]
