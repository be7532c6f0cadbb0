"""Whether the side that a series is tagged with agrees with the side on which its hip was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from toh_mri.core.hip import Check, HipLocation, Status
from toh_mri.core.study import AlignedSeries, AlignedStudy
from toh_mri.geometry import Side

_TAGS = {"L": Side.LEFT, "R": Side.RIGHT}


def check_laterality(study: AlignedStudy, hips: Sequence[HipLocation]) -> tuple[HipLocation, ...]:
    """Add the check ``laterality_disagrees`` to every hip, first of all: it may be that of the other side.

    A series contradicts a hip if it shows that hip alone and is tagged as the other side. Series that show both hips
    are often tagged with the painful one, which contradicts nothing. Of several series with different tags that show
    one hip, one contradicts.

    Parameters
    ----------
    study : AlignedStudy
    hips : sequence of HipLocation
        All that were found, in the study's frame; their sides are those of patient coordinates, and stay.

    Returns
    -------
    tuple of HipLocation
    """
    return tuple(replace(hip, checks=(_check(study, hip, hips), *hip.checks)) for hip in hips)


def _check(study: AlignedStudy, hip: HipLocation, hips: Sequence[HipLocation]) -> Check:
    against = [item.series.name for item in study.series if _contradicts(item, hip, hips)]
    return Check(
        code="laterality_disagrees",
        status=Status.REVIEW if against else Status.OK,
        value=None,
        message=f"By its coordinates this is the {hip.side} hip, and it is reported as such; but the laterality tag of "
        f"{', '.join(against)} says {hip.side.other}. Either the tag or the coordinates are wrong."
        if against
        else "No laterality tag contradicts the side given by patient coordinates.",
    )


def _contradicts(item: AlignedSeries, hip: HipLocation, hips: Sequence[HipLocation]) -> bool:
    tag = _TAGS.get(item.series.info.acquisition.laterality or "")
    shown = {other.side for other in hips if item.grid_in_frame.contains(other.sphere.center)}
    return shown == {hip.side} and tag is hip.side.other
