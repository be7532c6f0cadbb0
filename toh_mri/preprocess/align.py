"""Bringing the series of one study into one frame: rigid registration, single-threaded, so that it repeats exactly."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the alias of its own documentation
from numpy.typing import NDArray

from toh_mri.core.config.preprocess import PreprocessConfig
from toh_mri.core.study import AlignedSeries, AlignedStudy, Alignment, Contrast, Series, SlicePlane, Study
from toh_mri.geometry import SLACK, Grid, Image

_HISTOGRAM_BINS = 48
_SAMPLING_MM = (8.0, 4.0)  # in-plane distance between the samples of each level
_ITERATIONS = 50
_FIRST_STEP_MM = 1.0
_LAST_STEP_MM = 0.02
_PLACE_STEPS_PER_MM, _DIRECTION_STEPS = 2**10, 2**16  # finer than the last step; binary, so that 0, 1/2 and 1 stay

_CONTRAST_ORDER = (Contrast.STIR, Contrast.T2FS, Contrast.PDFS, Contrast.DIXON_WATER, Contrast.T1)


def align_study(study: Study, config: PreprocessConfig) -> AlignedStudy:
    """Register every series to the anchor series.

    The anchor is a volume before a single slice, fluid-sensitive before T1-like, coronal before the rest; the hip's
    reference series is chosen later, per hip. Mutual information (Mattes 2003, 10.1109/TMI.2003.809072) is maximised
    over a rigid transform. A result that moves a series further than patients move, or does not raise the mutual
    information, is not applied, and says so.

    Parameters
    ----------
    study : Study
    config : PreprocessConfig

    Returns
    -------
    AlignedStudy
        Samples untouched; each series with its transform into the common frame.
    """
    anchor = _anchor(study)
    with _one_thread():
        aligned = tuple(_align(series, anchor, config) for series in study.series)
    return AlignedStudy(study, anchor.name, aligned)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let SimpleITK work in one thread: its sums depend on the number of threads, and differ between runs.

    Setting it on the registration method alone is not enough (measured with SimpleITK 2.5).
    """
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def _anchor(study: Study) -> Series:
    def order(series: Series) -> tuple[object, ...]:
        role = series.role
        rank = _CONTRAST_ORDER.index(role.contrast) if role.contrast in _CONTRAST_ORDER else len(_CONTRAST_ORDER)
        single = series.image.grid.shape[0] == 1
        return (
            single,
            not role.contrast.is_fluid_sensitive,
            role.plane != SlicePlane.CORONAL,
            rank,
            series.name,
        )

    return min(study.series, key=order)


def _align(series: Series, anchor: Series, config: PreprocessConfig) -> AlignedSeries:
    if series.name == anchor.name:
        return _as_is(series, anchor, "is the anchor")
    if not config.align:
        return _as_is(series, anchor, "alignment is switched off")
    if 1 in (series.image.grid.shape[0], anchor.image.grid.shape[0]):
        return _as_is(series, anchor, "single slices are not registered")
    if _overlap(series.image, anchor.image) < 0.1:
        return _as_is(series, anchor, "the fields of view hardly overlap")
    try:
        rigid, before, after = _register(anchor.image, series.image)
    except RuntimeError:  # what SimpleITK raises where a picture holds no contrast
        return _as_is(series, anchor, "one of the pictures holds nothing to register")
    shift = float(np.linalg.norm(rigid[:3, :3] @ series.image.grid.centre + rigid[:3, 3] - series.image.grid.centre))
    rotation = math.degrees(math.acos(min(1.0, max(-1.0, (np.trace(rigid[:3, :3]) - 1) / 2))))
    refusal = None
    if after <= before:
        refusal = "registration did not raise the similarity"
    elif shift > config.maximum_shift_mm or rotation > config.maximum_rotation_degree:
        refusal = f"registration moved the series by {shift:.1f} mm and {rotation:.1f} degrees, more than is plausible"
    alignment = Alignment(
        anchor=anchor.name,
        method="rigid, Mattes mutual information",
        applied=refusal is None,
        shift_mm=shift,
        rotation_degree=rotation,
        similarity_before=before,
        similarity_after=after,
        reason=refusal or "registered",
    )
    return AlignedSeries(series, np.eye(4) if refusal else rigid, alignment)


def _as_is(series: Series, anchor: Series, reason: str) -> AlignedSeries:
    alignment = Alignment(
        anchor=anchor.name,
        method="scanner coordinates",
        applied=False,
        shift_mm=0.0,
        rotation_degree=0.0,
        similarity_before=None,
        similarity_after=None,
        reason=reason,
    )
    return AlignedSeries(series, np.eye(4), alignment)


def _overlap(one: Image, other: Image) -> float:
    """Return the share, 0..1, of the smaller field of view that lies in the larger one."""
    return float(max(one.grid.contains(_probe(other)).mean(), other.grid.contains(_probe(one)).mean()))


def _probe(image: Image) -> NDArray[np.float64]:
    """Return a coarse lattice of points of the field of view, LPS mm, shape (n, 3)."""
    axes = [np.linspace(0, n - 1, min(n, 8)) for n in image.grid.shape]
    return image.grid.to_world(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3))


def _register(fixed: Image, moving: Image) -> tuple[NDArray[np.float64], float, float]:
    """Return the rigid transform, moving LPS to fixed LPS, and the mutual information before and after.

    Both are registered in the frame of the fixed image, to 0.001 mm. The path of the search amplifies differences of
    places a hundredfold; in this frame one study gives one path, whichever format it was read from.
    """
    fixed, moving = _upright(fixed), _upright(moving)
    frame = np.eye(4)
    frame[:3, :3], frame[:3, 3] = fixed.grid.directions, fixed.grid.to_world([0, 0, 0])
    to_frame = np.asarray(np.linalg.inv(frame), dtype=np.float64)
    fixed, moving = (Image(image.array, _nominal(image.grid, to_frame)) for image in (fixed, moving))
    transform = sitk.Euler3DTransform()
    transform.SetCenter([float(v) for v in fixed.grid.centre])
    for step in _SAMPLING_MM:
        pair = [_to_sitk(_coarse(image, step)) for image in (fixed, moving)]
        method = _method(transform)
        method.Execute(*pair)
    after = -_method(transform).MetricEvaluate(*pair)
    before = -_method(sitk.Euler3DTransform()).MetricEvaluate(*pair)
    matrix = np.array(transform.GetMatrix()).reshape(3, 3)
    centre = np.array(transform.GetCenter())
    to_moving = np.eye(4)  # SimpleITK maps fixed points to moving ones; the series has to go the other way
    to_moving[:3, :3] = matrix
    to_moving[:3, 3] = np.array(transform.GetTranslation()) + centre - matrix @ centre
    return np.asarray(frame @ np.linalg.inv(to_moving) @ to_frame, dtype=np.float64), float(before), float(after)


def _upright(image: Image) -> Image:
    """Turn axes round that run against the patient's: the order in which samples are stored changes nothing."""
    largest = np.abs(image.grid.directions).argmax(axis=0)
    signs = np.sign(image.grid.directions[largest, range(3)]).astype(int)
    last = (np.array(image.grid.shape) - 1) * (signs < 0)
    affine = image.grid.affine @ np.diag([*signs, 1])
    affine[:3, 3] = image.grid.to_world(last)
    k, j, i = (slice(None, None, int(sign)) for sign in signs)
    return Image(image.array[k, j, i], Grid(image.grid.shape, affine))


def _nominal(grid: Grid, to_frame: NDArray[np.float64]) -> Grid:
    """Return a grid in another frame, shape (4, 4), its numbers rounded to what no format's precision changes."""
    affine = to_frame @ grid.affine
    directions = np.round(affine[:3, :3] / grid.spacing_mm * _DIRECTION_STEPS) / _DIRECTION_STEPS
    affine[:3, :3] = directions * grid.nominal_spacing_mm
    affine[:3, 3] = np.round(affine[:3, 3] * _PLACE_STEPS_PER_MM) / _PLACE_STEPS_PER_MM
    return Grid(grid.shape, affine)


def _method(transform: sitk.Transform) -> sitk.ImageRegistrationMethod:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(_HISTOGRAM_BINS)
    method.SetMetricSamplingStrategy(method.NONE)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(_FIRST_STEP_MM, _LAST_STEP_MM, _ITERATIONS)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(transform, inPlace=True)
    return method


def _coarse(image: Image, step_mm: float) -> Image:
    """Average blocks of rows and columns, about `step_mm` wide; what is left over is cut off on both sides alike."""
    rows, columns = (
        min(n, max(1, round(step_mm / s - SLACK)))
        for n, s in zip(image.grid.shape[1:], image.grid.spacing_mm[1:], strict=True)
    )
    count, height, width = (n // k for n, k in zip(image.grid.shape, (1, rows, columns), strict=True))
    j, i = (image.grid.shape[1] - height * rows) // 2, (image.grid.shape[2] - width * columns) // 2
    blocks = np.asarray(image.array)[:, j : j + height * rows, i : i + width * columns]
    # By columns first, which lie side by side in memory.
    lines = blocks.reshape(count, height * rows, width, columns).mean(axis=3, dtype=np.float32)
    means = lines.reshape(count, height, rows, width).mean(axis=2, dtype=np.float32)
    to_image = np.diag([1.0, rows, columns, 1.0])
    to_image[1:3, 3] = j + (rows - 1) / 2, i + (columns - 1) / 2
    return Image(means, Grid(means.shape, image.grid.affine @ to_image))


def _to_sitk(image: Image) -> sitk.Image:
    result = sitk.GetImageFromArray(np.asarray(image.array))
    result.SetSpacing(image.grid.spacing_mm[::-1])
    result.SetOrigin([float(v) for v in image.grid.to_world([0, 0, 0])])
    result.SetDirection([float(v) for v in image.grid.directions[:, ::-1].ravel()])
    return result
