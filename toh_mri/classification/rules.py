"""The rules: each looks at one sign and says what it is worth, and why, in a sentence.

Points are natural-log odds towards ON (positive) or TOH (negative). Their order follows the literature (a band
outranks edema: MRI of ON shows edema in 44 to 94 % of ARCO stages 2 to 3A, Eur Radiol 2023,
s00330-023-09403-8; a thin line does not exclude TOH: 55 % of 49 courses had one and 90 % healed, Geith 2020,
10.5152/dir.2020.19188); their sizes are conventions, not fitted to any cohort.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from toh_mri.core.config.classification import ClassificationConfig
from toh_mri.core.hip import LINES, Evidence, Finding, Findings, Measurements, Structure


@dataclass(frozen=True)
class Signs:
    """What the rules look at."""

    measurements: Measurements
    findings: Findings
    config: ClassificationConfig

    def number(self, name: str) -> float | None:
        """Return a measured value, or None where it is absent."""
        value = self.measurements.values.get(name)
        return None if value is None or isinstance(value, str) else float(value)

    def surest(self, structure: Structure) -> Finding | None:
        """Return the surest finding of a structure, or None."""
        mine = [item for item in self.findings.items if item.structure is structure]
        return max(mine, key=lambda item: (item.confidence, item.id)) if mine else None

    @property
    def has_edema(self) -> bool:
        """Whether there is more edema than the least that counts."""
        volume, area = self.number("edema_volume_ml"), self.number("edema_area_mm2")
        if volume is not None:
            return volume >= self.config.minimum_edema_ml
        return area is not None and area >= self.config.minimum_edema_mm2

    @property
    def has_line(self) -> bool:
        """Whether there is a band, a subchondral line or a neck line."""
        return any(self.surest(kind) is not None for kind in LINES)


Rule = Callable[[Signs], Evidence | None]


def band(signs: Signs) -> Evidence | None:
    """Score a band in the head: the hallmark of necrosis, weighted by its confidence (up to +4)."""
    found = signs.surest(Structure.BAND)
    if found is None:
        return None
    length, depth = found.measures["length_mm"], found.measures["depth_max_mm"]
    return Evidence(
        name="band",
        points=round(1.0 + 3.0 * found.confidence, 3),
        statement=(
            f"A dark band of {length:.0f} mm, reaching {depth:.0f} mm below the bone surface, sets off part of the "
            f"head (confidence {found.confidence:.2f})."
        ),
        findings=(found.id,),
    )


def long_band(signs: Signs) -> Evidence | None:
    """Score a long band (+0.5): from 12.5 mm on, low signal did not resolve (Vande Berg 1999)."""
    found, limit = signs.surest(Structure.BAND), signs.config.irreversible_length_mm
    if found is None or found.measures["length_mm"] < limit:
        return None
    text = f"The band is {found.measures['length_mm']:.0f} mm long, {limit:g} mm or more."
    return Evidence(name="long_band", points=0.5, statement=text, findings=(found.id,))


def deep_band(signs: Signs) -> Evidence | None:
    """Score the depth of a band over the head's diameter: +0.5 above the fracture cut-off, -0.5 below."""
    found, limit = signs.surest(Structure.BAND), signs.config.necrosis_depth_ratio
    if found is None:
        return None
    ratio = found.measures["band_depth_ratio"]
    deep = ratio >= limit
    text = f"The band's depth is {ratio:.2f} of the head's diameter, {'at least' if deep else 'below'} {limit:g}."
    return Evidence(name="band_depth", points=0.5 if deep else -0.5, statement=text, findings=(found.id,))


def no_band(signs: Signs) -> Evidence | None:
    """Score edema without a band (-1): no subchondral change but edema is transient (Vande Berg 1999)."""
    if not signs.has_edema or signs.surest(Structure.BAND) is not None:
        return None
    return Evidence(name="no_band", points=-1.0, statement="There is edema, and no band in the head.")


def head_edema(signs: Signs) -> Evidence | None:
    """Score edema of the head without a band: diffuse -1.5, partial -0.5."""
    percent = signs.number("head_edema_percent")
    if percent is None or not signs.has_edema or signs.surest(Structure.BAND) is not None:
        return None
    if percent >= signs.config.diffuse_head_percent:
        return _edema_evidence("diffuse_edema", -1.5, f"Edema fills {percent:.0f} % of the head.")
    if percent >= signs.config.diffuse_head_percent / 5.0:
        return _edema_evidence("partial_edema", -0.5, f"Edema takes up {percent:.0f} % of the head.")
    return None


def neck_edema(signs: Signs) -> Evidence | None:
    """Score edema of the neck without a band: with the head's -0.5; more than the head's +1 (not TOH, a fracture)."""
    neck, head = signs.number("neck_edema_percent"), signs.number("head_edema_percent")
    if neck is None or head is None or signs.surest(Structure.BAND) is not None:
        return None
    if not signs.has_edema or neck < signs.config.neck_percent:
        return None
    if neck > 2.0 * head:
        text = f"Edema is centred on the neck ({neck:.0f} % of it, {head:.0f} % of the head), unlike TOH."
        return _edema_evidence("neck_centred_edema", 1.0, text)
    return _edema_evidence("neck_edema", -0.5, f"Edema reaches the neck ({neck:.0f} % of it).")


def medial_sparing(signs: Signs) -> Evidence | None:
    """Score a spared medial head in diffuse edema without a band (-0.5)."""
    ratio, limit = signs.number("medial_sparing_ratio"), signs.config.medial_sparing_ratio
    percent = signs.number("head_edema_percent")
    if ratio is None or percent is None or ratio >= limit or signs.surest(Structure.BAND) is not None:
        return None
    if percent < signs.config.diffuse_head_percent:
        return None
    return _edema_evidence("medial_sparing", -0.5, f"The medial head is spared: {ratio:.2f} of the rest's signal.")


def both_sides(signs: Signs) -> Evidence | None:
    """Score edema on both sides of the joint without a band (+1): arthritis or arthrosis rather than TOH."""
    share, limit = signs.number("acetabulum_edema_share_percent"), signs.config.both_sides_percent
    if share is None or share < limit or not signs.has_edema or signs.surest(Structure.BAND) is not None:
        return None
    text = f"{share:.0f} % of the edema lies in the acetabulum: a disease of the joint rather than TOH."
    return _edema_evidence("both_sides", 1.0, text)


def other_lines(signs: Signs) -> Evidence | None:
    """State a subchondral or neck line without a band (0 points): it excludes neither (Geith 2020)."""
    found = signs.surest(Structure.SUBCHONDRAL_LINE) or signs.surest(Structure.NECK_LINE)
    if found is None or signs.surest(Structure.BAND) is not None:
        return None
    words = found.structure.value.replace("_", " ")
    text = f"A {words} of {found.measures['length_mm']:.0f} mm, without a band, excludes neither TOH nor a fracture."
    return Evidence(name=found.structure.value, points=0.0, statement=text, findings=(found.id,))


def little_edema(signs: Signs) -> Evidence | None:
    """State edema below what counts (0 points)."""
    if signs.has_edema:
        return None
    for name, unit, limit in (
        ("edema_volume_ml", "ml", signs.config.minimum_edema_ml),
        ("edema_area_mm2", "mm2", signs.config.minimum_edema_mm2),
    ):
        value = signs.number(name)
        if value is not None:
            text = f"Edema of {value:.2g} {unit} is less than the {limit:g} {unit} that count."
            return Evidence(name="little_edema", points=0.0, statement=text)
    return None


def no_line(signs: Signs) -> Evidence | None:
    """State that lines were looked for and not found (0 points)."""
    looked_for = [kind.value.replace("_", " ") for kind in LINES if kind in signs.findings.masks]
    if signs.has_line or not looked_for:
        return None
    return Evidence(name="no_line", points=0.0, statement=f"Looked for and not found: {', '.join(looked_for)}.")


def _edema_evidence(name: str, points: float, statement: str) -> Evidence:
    return Evidence(name=name, points=points, statement=statement, findings=(Structure.EDEMA.value,))


RULES: tuple[Rule, ...] = (
    band,
    long_band,
    deep_band,
    no_band,
    head_edema,
    neck_edema,
    medial_sparing,
    both_sides,
    other_lines,
    little_edema,
    no_line,
)
"""Every rule, in the order of the evidence."""
