"""The whole configuration: its stages, its files and its overrides."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import Field, ValidationError

from toh_mri.core.config.classification import ClassificationConfig
from toh_mri.core.config.io import IoConfig
from toh_mri.core.config.lesions import LesionsConfig
from toh_mri.core.config.preprocess import PreprocessConfig
from toh_mri.core.config.report import ReportConfig
from toh_mri.core.config.segmentation import SegmentationConfig
from toh_mri.core.errors import ConfigError
from toh_mri.core.frozen import FrozenModel


class Config(FrozenModel):
    """Everything that can be set, stage by stage.

    Order of precedence: defaults, then a file, then ``--set stage.key=value``.
    """

    io: IoConfig = Field(default_factory=IoConfig, description="Reading studies, series roles, identifiers.")
    preprocess: PreprocessConfig = Field(
        default_factory=PreprocessConfig, description="Choice and alignment of series, crops."
    )
    segmentation: SegmentationConfig = Field(
        default_factory=SegmentationConfig, description="Finding hips; head, neck and their planes."
    )
    lesions: LesionsConfig = Field(default_factory=LesionsConfig, description="Edema and lines.")
    classification: ClassificationConfig = Field(
        default_factory=ClassificationConfig, description="TOH-like against ON-like."
    )
    report: ReportConfig = Field(default_factory=ReportConfig, description="Pictures and pages.")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a YAML file; what it does not name keeps its default.

        Raises
        ------
        ConfigError
            ``config_unreadable`` or ``config_invalid``.
        """
        return cls.from_mapping(read_yaml(Path(path)), str(path))

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], origin: str = "configuration") -> Self:
        """Check a nested mapping of stages and keys; `origin` names it in the error."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigError(
                "config_invalid",
                f"{origin}: " + "; ".join(_explain(item) for item in error.errors()),
                "'toh-mri config schema' lists every key with its unit and range.",
            ) from None

    def with_overrides(self, overrides: Iterable[str]) -> Self:
        """Return a copy in which each ``stage.key=value`` (value in YAML) replaces a value.

        Raises
        ------
        ConfigError
            ``config_invalid`` for a malformed override, an unknown key or a value out of range.
        """
        values = self.model_dump(mode="json")
        for override in overrides:
            name, separator, text = override.partition("=")
            *parents, key = name.strip().split(".")
            if not separator or not parents or not key:
                raise ConfigError(
                    "config_invalid",
                    f"--set {override!r} is not of the form stage.key=value.",
                    "For example: --set lesions.edema_threshold_sd=3",
                )
            place = values
            for parent in parents:
                place = place.setdefault(parent, {})
                if not isinstance(place, dict):
                    raise ConfigError("config_invalid", f"--set {override!r}: {parent!r} holds no keys.")
            place[key] = _parse(text, f"--set {override!r}")
        return self.from_mapping(values, "--set")

    def effective(self) -> dict[str, Any]:
        """Return every value in force as plain JSON types, without the secret salt of identifiers."""
        return self.model_dump(mode="json", exclude={"io": {"salt"}})

    def fingerprint(self) -> str:
        """Return the first 12 hex digits of the SHA-256 of `effective`, as ``config_hash`` in tables."""
        text = json.dumps(self.effective(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def to_yaml(self) -> str:
        """Write every value in force as YAML, each with a comment that gives meaning, unit and source."""
        lines = []
        for stage in type(self).model_fields:
            model = getattr(self, stage)
            lines.append(f"# {type(self).model_fields[stage].description}")
            lines.append(f"{stage}:")
            for key, field in type(model).model_fields.items():
                extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
                meaning = f"{field.description} [{extra.get('unit', '-')}]"
                lines.append(f"  # {meaning} Source: {extra.get('source', '-')}")
                value = model.model_dump(mode="json")[key]
                entry = yaml.safe_dump({key: value}, sort_keys=True, width=100, default_flow_style=False)
                lines.extend(f"  {line}" for line in entry.splitlines())
            lines.append("")
        return "\n".join(lines)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping with the safe loader.

    Raises
    ------
    ConfigError
        ``config_unreadable`` if the file is missing or is no YAML mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("config_unreadable", f"{path}: cannot be read ({error}).") from error
    values = _parse(text, str(path))
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError("config_unreadable", f"{path}: holds no mapping of stages.")
    return values


def _parse(text: str, origin: str) -> object:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError("config_unreadable", f"{origin}: is not YAML ({error}).") from error


def _explain(item: Mapping[str, Any]) -> str:
    name = ".".join(str(part) for part in item["loc"]) or "top level"
    reason = "is no known key" if item["type"] == "extra_forbidden" else str(item["msg"])
    return f"{name}: {reason}"
