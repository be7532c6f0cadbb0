"""Configuration: one frozen model per stage, which is the only place that holds defaults."""

from toh_mri.core.config.root import Config

__all__ = ["Config"]
