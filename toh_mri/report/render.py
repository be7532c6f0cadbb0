"""Templates to pages."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from toh_mri.core.record import NOTICE
from toh_mri.report.wording import DASH, LEGENDS, PATTERN_WORDS, STATUS_WORDS, SWITCHES, number


def render(template: str, **context: object) -> str:
    """Fill a template of this package; every value is escaped, a missing one is an error."""
    return _environment().get_template(template).render(**context)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("toh_mri.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["number"] = number
    environment.globals.update(
        NOTICE=NOTICE,
        DASH=DASH,
        LEGENDS=LEGENDS,
        SWITCHES=SWITCHES,
        PATTERN_WORDS=PATTERN_WORDS,
        STATUS_WORDS=STATUS_WORDS,
    )
    return environment
