"""The course of a disease: what its lesions have become some days after the first visit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from toh_mri.phantom.anatomy.femur import Femur
from toh_mri.phantom.disease import (
    EDEMA_THRESHOLD,
    Disease,
    Lesions,
    collapse,
    flattening,
    with_edema_around,
)
from toh_mri.phantom.edema import Edema, FractureEdema
from toh_mri.phantom.fracture import NeckEdema, SubchondralLine
from toh_mri.phantom.necrosis import Crescent
from toh_mri.phantom.streams import stream

_FAINTEST = 1.2 * EDEMA_THRESHOLD  # below, only its brightest patches would count as edema: the author's choice
_DRY_MM = 1.0  # depth of the recesses of a sound joint


@dataclass(frozen=True)
class Visit:
    """One visit of a person to the scanner.

    Attributes
    ----------
    number : int
        From 1.
    days : int
        Since the first visit.
    """

    number: int = 1
    days: int = 0

    def __post_init__(self) -> None:
        if self.number < 1 or self.days < 0 or (self.number == 1) != (self.days == 0):
            raise ValueError("the first visit is number 1 on day 0; later ones have higher numbers and days")

    def seed(self, seed: int) -> int:
        """Return the seed of what differs from visit to visit; at the first visit it is the person's own."""
        return seed if self.number == 1 else int(stream(seed, f"visit/{self.number}").integers(2**48))


FIRST_VISIT = Visit()


def draw_visits(count: int, seed: int) -> tuple[Visit, ...]:
    """Draw the visits of one person: 6-16 weeks apart, as follow-up of edema is usual (the author's choice).

    The first visits of a longer follow-up are those of a shorter one.
    """
    apart = stream(seed, "visits").integers(42, 113, max(count - 1, 0))
    return tuple(Visit(k + 1, int(days)) for k, days in enumerate(np.concatenate([[0], np.cumsum(apart)])))


def onset_on_other_side(disease: Disease, seed: int) -> int | None:
    """Draw the day on which a TOH appears in the other hip; None in 5 of 6 and for other diseases.

    That TOH migrates is known; how often and when is the author's choice.
    """
    rng = stream(seed, "migration")
    migrates, day = rng.random() < 1 / 6, int(rng.integers(30, 120))
    return day if migrates and disease is Disease.TOH else None


def after(lesions: Lesions, femur: Femur, days: int, rng: np.random.Generator) -> Lesions:
    """Return the lesions of one hip some days after the first visit; the same generator gives the same course.

    Parameters
    ----------
    lesions : Lesions
        At the first visit.
    femur : Femur
        The sound one, as `Lesions.draw` took it.
    days : int
        >= 0; on day 0 the lesions are what they were.
    rng : numpy.random.Generator

    Returns
    -------
    Lesions
        TOH resolves within 3-9 months; osteonecrosis of more than 15 % of the head mostly goes on to edema, crescent
        and collapse while its band stays; insufficiency fractures heal, or collapse, more often where the line is
        long; stress fractures heal; the rest stays. A hip that has healed is normal.

    Notes
    -----
    Healing: normal MRI after 6-12 months (J Rheumatol 1991;18:1211; Pol J Radiol 2014;79:36). Necrosis: collapse by
    size as in Kuroda 2019 (PMC6825048), faster than there so that pairs show it. Lines of insufficiency fractures:
    22.5 mm on average where the head collapsed, 13.4 mm where it healed (Iwasaki 2012, Br J Radiol). Times and
    shares are the author's choice.
    """
    course = _COURSES.get(lesions.disease)
    return lesions if days == 0 or course is None else course(lesions, femur, days, rng)


def _resolve(lesions: Lesions, femur: Femur, days: int, rng: np.random.Generator) -> Lesions:
    return _healed(lesions, femur, 1 - days / float(rng.uniform(90, 270)))


def _heal(lesions: Lesions, femur: Femur, days: int, rng: np.random.Generator) -> Lesions:
    return _healed(lesions, femur, 1 - days / float(rng.uniform(120, 300)))


def _healed(lesions: Lesions, femur: Femur, level: float) -> Lesions:
    """Return what is left of edema, line and effusion at a level of 1 (all) to 0 or less (nothing).

    A hip is normal as soon as its edema is too faint to count as such in the truth: else it would have a disease that
    the truth's masks do not show.
    """
    level = max(level, 0.0)
    fluid = lesions.fluid_mm * level + _DRY_MM * (1 - level)
    edema = lesions.edema
    left = edema.less(level, femur.radius_mm) if isinstance(edema, Edema | FractureEdema | NeckEdema) else None
    if left is None or left.fraction < _FAINTEST:
        return replace(lesions, disease=Disease.NORMAL, edema=None, line=None, fluid_mm=fluid)
    return replace(lesions, edema=left, fluid_mm=fluid)


def _progress(lesions: Lesions, femur: Femur, days: int, rng: np.random.Generator) -> Lesions:
    """Follow an osteonecrosis: edema and crescent, then collapse."""
    necrosis = lesions.necrosis
    if necrosis is None:
        return lesions
    fracture_day, collapse_day = rng.uniform(20, 300), rng.uniform(60, 250)
    stays, mm_each_month = rng.random() < 0.25, rng.uniform(0.2, 0.8)
    with_edema = with_edema_around(necrosis, rng)
    crescent = Crescent.draw(necrosis, femur, rng)
    dent = lesions.deformity.depression
    if stays or necrosis.share < 0.15:
        return lesions
    if lesions.line is not None or dent is not None:
        fracture_day = 0.0
    if days > fracture_day:
        lesions = replace(lesions, fluid_mm=max(lesions.fluid_mm, 3.0), line=lesions.line or crescent)
        if necrosis.around == 0:
            lesions = replace(lesions, necrosis=with_edema)
    since = days if dent is not None else days - fracture_day - collapse_day
    if since > 0:
        depth = (0.8 if dent is None else dent.depth_mm) + mm_each_month * since / 30
        lesions = replace(lesions, deformity=collapse(necrosis, femur, min(depth, 4.0)))
    return lesions


def _heal_or_collapse(lesions: Lesions, femur: Femur, days: int, rng: np.random.Generator) -> Lesions:
    """Follow an insufficiency fracture."""
    line = lesions.line
    if not isinstance(line, SubchondralLine):
        return lesions
    collapses, mm_each_month = rng.random() < (0.6 if line.length_mm > 18 else 0.2), rng.uniform(0.3, 0.9)
    if not collapses:
        return _heal(lesions, femur, days, rng)
    dent = lesions.deformity.depression
    depth = min((0.0 if dent is None else dent.depth_mm) + mm_each_month * days / 30, 3.0)
    return replace(lesions, deformity=flattening(line, femur, depth))


_COURSES: dict[Disease, Callable[[Lesions, Femur, int, np.random.Generator], Lesions]] = {
    Disease.TOH: _resolve,
    Disease.ON: _progress,
    Disease.SIF: _heal_or_collapse,
    Disease.NECKFX: _heal,
}
