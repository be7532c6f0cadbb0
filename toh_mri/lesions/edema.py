"""Edema of one hip: reference marrow, the kernel's pass, and what is vetoed afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from toh_mri.core.config.lesions import LesionsConfig
from toh_mri.core.errors import QuantificationError
from toh_mri.core.hip import Anatomy, HipImages, HipSeries, Label
from toh_mri.core.study import Contrast
from toh_mri.kernels import edema as kernels
from toh_mri.lesions.muscle import MuscleSignal, muscle_at, muscle_of
from toh_mri.lesions.reference import ReferenceMarrow, lowest_mode
from toh_mri.lesions.signals import T1_FALL, T1_FLUID, MarrowSignal, marrow_signal

SENSITIVITY_SD = (2.0, 2.5, 3.0)
"""Thresholds at which the volume is reported besides the one in force (Nielsen 2014, BMC MSD 15:447: the
reading of one threshold alone moves volumes by up to 2.2 x)."""

_ACETABULUM_RADII = 2.0  # DESIGN: edema of femur and acetabulum within two head radii
_T1_WELL_ABOVE_MUSCLE = 1.5
_NOTED_ML = 0.1
_NEIGHBOURS = np.ones((3, 3, 3), dtype=bool)
_IN_PLANE = np.ones((1, 3, 3), dtype=bool)


@dataclass(frozen=True)
class Edema:
    """Edema on the cropped reference grid, what was measured on the way, and in which words."""

    mask: NDArray[np.bool_]
    statistics: Mapping[str, float]
    absent: Mapping[str, str]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Marrow:
    """Labelled marrow and its signals over muscle, on the cropped reference grid; NaN outside."""

    regions: NDArray[np.uint8]
    ratio: NDArray[np.float32]
    t1_ratio: NDArray[np.float32]
    signal: MarrowSignal
    notes: tuple[str, ...]


def find_edema(images: HipImages, anatomy: Anatomy, config: LesionsConfig) -> Edema:
    """Measure edema on the native samples of the reference series; none is looked for in slices it lacks.

    Raises
    ------
    QuantificationError
        ``no_fluid_sensitive_series``, ``muscle_reference_not_found``, ``reference_marrow_too_small`` or
        ``reference_marrow_not_found``.
    """
    marrow = _marrow(images, anatomy)
    references, notes = _references(marrow)
    t1_reference = _t1_reference(marrow, references[Label.FEMORAL_HEAD.code])
    excluded = np.zeros(marrow.regions.shape, dtype=bool)
    state, _ = _run(marrow, references, t1_reference, excluded, config)
    excluded, vetoes = _vetoed_regions(marrow, references, t1_reference, state, anatomy, config)
    state, table = _run(marrow, references, t1_reference, excluded, config)
    statistics = _reference_statistics(references, t1_reference) | _sizes(table, anatomy)
    statistics |= _medial_sparing(marrow, anatomy)
    absent = {} if np.isfinite(t1_reference) else {"reference_marrow_t1_ratio": "no_t1_series"}
    return Edema(state == kernels.EDEMA, statistics, absent, marrow.notes + notes + vetoes)


def _marrow(images: HipImages, anatomy: Anatomy) -> _Marrow:
    """Collect labelled marrow with its signal over muscle on the reference series and on T1."""
    reference = images.reference_series
    contrast = _contrast(reference)
    if not contrast.is_fluid_sensitive:
        raise QuantificationError(
            "no_fluid_sensitive_series",
            "Edema is measured on a fluid-sensitive, fat-suppressed series; the study has none of this hip.",
            "Add a STIR, fat-suppressed T2 or PD, or Dixon water series.",
        )
    regions = _regions(anatomy) * reference.has_slice[:, None, None]
    inside = regions > 0
    points = anatomy.labels.grid.to_world(np.argwhere(inside))
    muscle = muscle_of(reference, anatomy)
    ratio = np.full(regions.shape, np.nan, np.float32)
    ratio[inside] = np.asarray(reference.image.array, dtype=np.float32)[inside] / muscle.at(points)
    t1_ratio = np.full(regions.shape, np.nan, np.float32)
    t1_values, note = _t1_over_muscle(images, muscle, points)
    t1_ratio[inside] = t1_values
    notes = (*_missing_note(reference), note)
    return _Marrow(regions, ratio, _smoothed_in_plane(t1_ratio), marrow_signal(contrast), notes)


def _missing_note(reference: HipSeries) -> tuple[str, ...]:
    count = len(reference.missing_slices)
    slices = "1 slice" if count == 1 else f"{count} slices"
    note = (
        f"{reference.info.name} lacks {slices} of this hip: edema was not looked for there. "
        "Its volume is a lower bound; percentages are of the slices that are there."
    )
    return (note,) if count else ()


def _contrast(series: HipSeries) -> Contrast:
    return series.info.role.contrast if series.info.role else Contrast.OTHER


def _regions(anatomy: Anatomy) -> NDArray[np.uint8]:
    """Label codes in the marrow; the acetabulum within two head radii of the head's centre only."""
    labels = np.asarray(anatomy.labels.array, dtype=np.uint8)
    regions = np.where(np.asarray(anatomy.marrow.array, dtype=bool), labels, 0).astype(np.uint8)
    index = np.argwhere(regions == Label.ACETABULUM.code)
    reach = anatomy.head.signed_distance(anatomy.labels.grid.to_world(index)) + anatomy.head.radius_mm
    far = index[reach > _ACETABULUM_RADII * anatomy.head.radius_mm]
    regions[tuple(far.T)] = 0
    return regions


def _t1_over_muscle(
    images: HipImages, muscle: MuscleSignal, points: NDArray[np.float64]
) -> tuple[NDArray[np.float32], str]:
    """T1 signal over muscle at LPS points, interpolated (for vetoes only); NaN where there is none."""
    nothing = np.full(len(points), np.nan, np.float32)
    t1 = next((s for s in images.series if _contrast(s) is Contrast.T1), None)
    if t1 is None:
        return nothing, "No T1 series: edema could not be checked for loss of fat."
    try:
        yardstick = muscle_at(t1, muscle)
    except QuantificationError as error:
        return nothing, f"{t1.info.name} was not used to check edema for loss of fat: {error.message}"
    values = t1.sample_measured(points) / yardstick.at(points)
    return values.astype(np.float32), f"Edema was checked for loss of fat on {t1.info.name}."


def _smoothed_in_plane(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average each sample with its known in-plane neighbours; NaN stays NaN."""
    known = np.isfinite(values)
    total = ndimage.uniform_filter(np.where(known, values, 0.0), size=(1, 3, 3), mode="constant")
    weight = ndimage.uniform_filter(known.astype(np.float32), size=(1, 3, 3), mode="constant")
    return np.where(known, total / np.maximum(weight, 1e-6), np.nan).astype(np.float32)


def _reference_candidates(marrow: _Marrow) -> NDArray[np.bool_]:
    """Marrow that may be healthy: one voxel further from the cortex, and fatty on T1 where T1 is known.

    Cortex seen partly, fracture lines, necrosis and fluid are not fatty; some of them are darker than marrow.
    """
    inner = ndimage.binary_erosion(marrow.regions > 0, structure=_IN_PLANE)
    return np.asarray(inner & ~(marrow.t1_ratio < _T1_WELL_ABOVE_MUSCLE))


def _references(marrow: _Marrow) -> tuple[list[ReferenceMarrow], tuple[str, ...]]:
    """Choose reference marrow by region code (0 repeats the femur's): the femur's own, the acetabulum's own.

    The pelvis keeps more red marrow than the femoral head, so that the femur's reference would call it edema.
    """
    candidates = _reference_candidates(marrow)
    pelvic = marrow.regions == Label.ACETABULUM.code
    own, where = _femoral_reference(marrow, candidates & ~pelvic)
    references = [own] * (len(Label) + 1)
    note = (
        f"Reference marrow: lowest-signal mode of {where}, {own.ratio:.2f} of muscle, "
        f"SD {own.spread:.2f}, {100 * own.share:.0f} % of its marrow."
    )
    if not pelvic.any():
        return references, (note,)
    try:
        pelvis = lowest_mode(marrow.ratio[candidates & pelvic], marrow.signal.red)
    except QuantificationError:
        return references, (note, "The acetabulum has no reference marrow of its own: the femur's was used.")
    references[Label.ACETABULUM.code] = pelvis
    return references, (note, f"Acetabulum: {pelvis.ratio:.2f} of muscle, SD {pelvis.spread:.2f}.")


def _femoral_reference(marrow: _Marrow, femur: NDArray[np.bool_]) -> tuple[ReferenceMarrow, str]:
    """Return the lower of the modes of the whole femur in view and of its part outside the head, and where it is.

    The head may be edematous throughout while the trochanter is usually spared, but then holds too small a share of
    the whole to show as a mode of it.
    """
    found = []
    problem: QuantificationError | None = None
    outside = femur & (marrow.regions != Label.FEMORAL_HEAD.code)
    for voxels, where in ((femur, "the femur in view"), (outside, "the femur in view outside the head")):
        try:
            found.append((lowest_mode(marrow.ratio[voxels], marrow.signal.red), where))
        except QuantificationError as error:
            problem = problem or error
    if not found and problem is not None:
        raise problem
    return min(found, key=lambda item: item[0].ratio)


def _t1_reference(marrow: _Marrow, reference: ReferenceMarrow) -> float:
    """Median T1 signal over muscle of the femur's reference marrow; NaN without T1."""
    femur = _reference_candidates(marrow) & (marrow.regions != Label.ACETABULUM.code)
    healthy = femur & (np.abs(marrow.ratio - reference.ratio) < 2 * reference.spread)
    values = marrow.t1_ratio[healthy & np.isfinite(marrow.t1_ratio)]
    return float(np.median(values)) if len(values) else float("nan")


def _run(
    marrow: _Marrow,
    references: list[ReferenceMarrow],
    t1_reference: float,
    excluded: NDArray[np.bool_],
    config: LesionsConfig,
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Call the kernel; see `toh_mri.kernels.edema.quantify_marrow`."""
    signal = marrow.signal
    fatty = config.fatty_t1_fraction * t1_reference if np.isfinite(t1_reference) else np.inf
    limits = [signal.fluid_cut, T1_FLUID, signal.fluid_cut if signal.fluid_alone else np.inf, fatty]
    return kernels.quantify_marrow(
        marrow.ratio,
        marrow.t1_ratio,
        marrow.regions,
        excluded,
        np.array([r.ratio for r in references]),
        np.array([r.spread for r in references]),
        signal.edema_rise,
        config.edema_minimum_fraction,
        np.array([config.edema_threshold_sd, *SENSITIVITY_SD]),
        np.array(limits, dtype=np.float64),
    )


def _vetoed_regions(
    marrow: _Marrow,
    references: list[ReferenceMarrow],
    t1_reference: float,
    state: NDArray[np.uint8],
    anatomy: Anatomy,
    config: LesionsConfig,
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Mark connected bright marrow that is no edema: too small, too fatty on T1, or red marrow."""
    components, count = ndimage.label(state == kernels.EDEMA, structure=_NEIGHBOURS)
    voxel_ml = anatomy.labels.grid.voxel_volume_ml
    level = np.array([r.ratio for r in references])[marrow.regions]
    fraction = (marrow.ratio - level) / marrow.signal.edema_rise
    drop = np.zeros(count + 1, dtype=bool)
    dropped_ml = {"fatty": 0.0, "red": 0.0}
    for number, box in enumerate(ndimage.find_objects(components), start=1):
        voxels = components[box] == number
        volume_ml = float(voxels.sum()) * voxel_ml
        reason = _mimic(
            fraction[box][voxels],
            marrow.t1_ratio[box][voxels],
            marrow.regions[box][voxels],
            t1_reference,
            config,
        )
        drop[number] = reason is not None or volume_ml < config.edema_minimum_region_ml
        if reason is not None:
            dropped_ml[reason] += volume_ml
    texts = {
        "fatty": "ml of bright marrow has kept its fat on T1 and was taken for failed fat suppression.",
        "red": "ml of mildly bright marrow outside the head was taken for red marrow.",
    }
    notes = tuple(f"{ml:.1f} {texts[reason]}" for reason, ml in dropped_ml.items() if ml >= _NOTED_ML)
    return drop[components], notes


def _mimic(
    fraction: NDArray[np.float32],
    t1_ratio: NDArray[np.float32],
    regions: NDArray[np.uint8],
    t1_reference: float,
    config: LesionsConfig,
) -> str | None:
    """Say what a connected region of bright marrow is if it is not edema: ``fatty`` or ``red``.

    Fatty: T1 has fallen by less than half of what its edema fraction makes the signal model expect. Red: mild
    throughout, T1 well above muscle, and outside the head (red marrow in an adult's head is not normal).
    """
    t1 = float(np.median(t1_ratio))  # NaN without T1
    expected = T1_FALL * float(np.median(fraction))
    if 1.0 - t1 / t1_reference < 0.5 * expected:
        return "fatty"
    in_head = np.mean(regions == Label.FEMORAL_HEAD.code)
    mild = np.percentile(fraction, 95) < config.red_marrow_fraction
    return "red" if in_head < 0.5 and mild and not t1 < _T1_WELL_ABOVE_MUSCLE else None


def _reference_statistics(references: list[ReferenceMarrow], t1_reference: float) -> dict[str, float]:
    femur, pelvis = references[Label.FEMORAL_HEAD.code], references[Label.ACETABULUM.code]
    values = {
        "reference_marrow_ratio": femur.ratio,
        "reference_marrow_sd_ratio": femur.spread,
        "reference_marrow_voxels": float(femur.voxels),
    }
    if pelvis is not femur:
        values["acetabulum_reference_marrow_ratio"] = pelvis.ratio
        values["acetabulum_reference_marrow_sd_ratio"] = pelvis.spread
    if np.isfinite(t1_reference):
        values["reference_marrow_t1_ratio"] = t1_reference
    return values


def _sizes(table: NDArray[np.float64], anatomy: Anatomy) -> dict[str, float]:
    """Volumes (areas of a single slice) of marrow and edema by region; mean z and fraction of edema."""
    unit, size = size_of_voxel(anatomy)
    values = {}
    for label in (label for label in Label if anatomy.mask(label).any()):
        row = table[label.code]
        values[f"marrow_{label.value}_{unit}"] = row[kernels.COUNT] * size
        values[f"edema_{label.value}_{unit}"] = row[kernels.FIRST_THRESHOLD] * size
    total = table.sum(axis=0)
    values[f"edema_fluid_cut_{unit}"] = total[kernels.FLUID_COUNT] * size
    values[f"edema_vetoed_{unit}"] = total[kernels.VETOED_COUNT] * size
    for column, k in enumerate(SENSITIVITY_SD, start=kernels.FIRST_THRESHOLD + 1):
        values[f"edema_at_{k:g}_sd_{unit}".replace(".", "_")] = total[column] * size
    voxels = total[kernels.FIRST_THRESHOLD]
    if voxels > 0:
        values["edema_mean_z"] = total[kernels.SUM_Z] / voxels
        values["edema_mean_fraction"] = total[kernels.SUM_FRACTION] / voxels
    return {name: float(value) for name, value in values.items()}


def size_of_voxel(anatomy: Anatomy) -> tuple[str, float]:
    """Return ``("ml", volume)``, or ``("mm2", area)`` for a single slice."""
    grid = anatomy.labels.grid
    if anatomy.dimensionality == 2:
        return "mm2", grid.spacing_mm[1] * grid.spacing_mm[2]
    return "ml", grid.voxel_volume_ml


def _medial_sparing(marrow: _Marrow, anatomy: Anatomy) -> dict[str, float]:
    """Mean signal of the head's medial marrow over that of the rest of the head.

    Medial: more than half a radius towards the body's midline from the centre (about a quarter of the head's
    width). About 90 % of transient osteoporosis spares it.
    """
    index = np.argwhere((marrow.regions == Label.FEMORAL_HEAD.code) & np.isfinite(marrow.ratio))
    x = anatomy.labels.grid.to_world(index)[:, 0] - anatomy.head.center[0]
    medial = x * anatomy.side.lateral_x < -0.5 * anatomy.head.radius_mm
    if not medial.any() or medial.all():
        return {}
    values = marrow.ratio[tuple(index.T)].astype(np.float64)
    return {"medial_sparing_ratio": float(values[medial].mean() / max(values[~medial].mean(), 1e-6))}
