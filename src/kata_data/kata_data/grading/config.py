# SPDX-License-Identifier: Apache-2.0
"""What makes a recording good enough: the thresholds, declared once; ``config/quality.yaml`` departs from them."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from kata_model.config.config_path import find_config
from kata_model.config.params import from_mapping, param
from kata_model.config.yaml_data import load_yaml
from kata_model.errors import ConfigError

__all__ = ["GradingConfig", "load_grading"]


@dataclass(frozen=True)
class GradingConfig:
    """Thresholds of the measures: from ``…_warn`` on a measure is a warning, from ``…_fail`` on a failure."""

    rate_warn: float = param(0.1, low=0.0, high=1.0, doc="Share by which a stream stays below its expected rate: warning.")
    rate_fail: float = param(0.3, low=0.0, high=1.0, doc="Share by which a stream stays below its expected rate: failure.")
    lost_warn: float = param(0.0005, low=0.0, high=1.0, doc="Share of a stream's messages that were lost: warning.")
    lost_fail: float = param(0.01, low=0.0, high=1.0, doc="Share of a stream's messages that were lost: failure.")
    gap_warn: float = param(0.05, unit="s", low=0.0, high=10.0, doc="Silence of a steady stream beyond its period: warning.")
    gap_fail: float = param(0.2, unit="s", low=0.0, high=10.0, doc="Silence of a steady stream beyond its period: failure.")
    skew_warn: float = param(0.015, unit="s", low=0.0, high=10.0, doc="Sensor begins later or ends earlier than others: warning.")
    skew_fail: float = param(0.05, unit="s", low=0.0, high=10.0, doc="Sensor begins later or ends earlier than others: failure.")
    delay_warn: float = param(0.1, unit="s", low=0.0, high=10.0, doc="Median time from source stamp to receipt: warning.")
    delay_fail: float = param(0.5, unit="s", low=0.0, high=10.0, doc="Median time from source stamp to receipt: failure.")
    still: float = param(0.05, unit="rad/s", low=0.0, high=1.0, doc="A robot whose fastest joint is slower rests.")
    pause: float = param(0.3, unit="s", low=0.0, high=10.0, doc="Shorter rests are part of the motion.")
    idle_warn: float = param(0.3, low=0.0, high=1.0, doc="Share of the time at rest: warning.")
    idle_fail: float = param(0.6, low=0.0, high=1.0, doc="Share of the time at rest: failure.")
    swing: float = param(0.02, unit="rad", low=0.0, high=1.0, doc="A reversal counts when a joint comes back by so much.")
    chatter_warn: float = param(2.0, unit="Hz", low=0.0, high=100.0, doc="Most reversals of a commanded joint a second: warning.")
    chatter_fail: float = param(5.0, unit="Hz", low=0.0, high=100.0, doc="Most reversals of a commanded joint a second: failure.")
    tremor_band: float = param(5.0, unit="Hz", low=0.1, high=20.0, doc="Hands of people move more slowly than this on purpose.")
    tremor_warn: float = param(0.1, low=0.0, high=1.0, doc="Share of the command's squared velocity above that: warning.")
    tremor_fail: float = param(0.3, low=0.0, high=1.0, doc="Share of the command's squared velocity above that: failure.")
    near: float = param(0.98, low=0.5, high=1.0, doc="Share of a limit from which on a joint is at it.")
    limits_warn: float = param(0.05, low=0.0, high=1.0, doc="Share of the time with a joint at a limit: warning.")
    limits_fail: float = param(0.3, low=0.0, high=1.0, doc="Share of the time with a joint at a limit: failure.")
    held_warn: float = param(0.02, low=0.0, high=1.0, doc="Share of the filter's ticks that did not follow: warning.")
    held_fail: float = param(0.15, low=0.0, high=1.0, doc="Share of the filter's ticks that did not follow: failure.")
    limited_warn: float = param(0.3, low=0.0, high=1.0, doc="Share of the filter's ticks that limited: warning.")
    limited_fail: float = param(0.9, low=0.0, high=1.0, doc="Share of the filter's ticks that limited: failure.")
    jump: float = param(1.5, low=1.0, high=10.0, doc="Steps faster than so many times the velocity limit are jumps.")
    jumps_warn: float = param(1.0, low=1.0, high=1e6, doc="Jumps of measured or wanted positions: warning.")
    jumps_fail: float = param(4.0, low=1.0, high=1e6, doc="Jumps of measured or wanted positions: failure.")
    shortest: float = param(0.5, unit="s", low=0.0, high=100.0, doc="Shorter episodes show nothing.")
    outlier: float = param(3.5, low=1.0, high=100.0, doc="Robust deviations (1.48 MAD) from the others' median: worth a look.")
    scatter: float = param(0.35, low=0.0, high=10.0, doc="Spread not due to start and goal, over the motion's size: told.")
    hole: float = param(0.35, low=0.0, high=2.0, doc="Widest place without an episode, over the size of the space: told.")


def load_grading(path: str | Path = "quality.yaml") -> GradingConfig:
    """Read the departures from the thresholds.

    Args:
        path: File, or its name in ``config/``.

    Raises:
        ConfigError: The file is missing or not of this form, or a threshold is unknown or out of range.
    """
    file = find_config(path)
    try:
        content = load_yaml(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot be read: {' '.join(str(error).split())}", where=str(file)) from error
    values = content.get("thresholds") if isinstance(content, dict) else None
    if not isinstance(values, dict) or len(content) != 1:
        raise ConfigError("has no mapping thresholds", where=str(file), fix="thresholds: {idle_warn: 0.2}, or thresholds: {}")
    return from_mapping(GradingConfig, values, where=str(file))
