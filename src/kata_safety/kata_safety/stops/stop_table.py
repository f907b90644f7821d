# SPDX-License-Identifier: Apache-2.0
"""Which stop answers which cause: the table ``config/safety.yaml``."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import yaml

from kata_model.config.config_path import find_config
from kata_model.config.yaml_data import load_yaml
from kata_model.errors import ConfigError

__all__ = ["BaseCondition", "StopCategory", "StopTable"]


class StopCategory(IntEnum):
    """How to stop; the lower, the harder. Categories 0 to 2 as in IEC 60204-1."""

    DAMP = 0
    RETREAT = 1
    HOLD = 2
    WAIT = 3


class BaseCondition:
    """How the robot stands; columns of the table."""

    FIXED = "fixed"
    BALANCED = "balanced"
    UNBALANCED = "unbalanced"


@dataclass(frozen=True)
class StopTable:
    """Categories by cause and stance.

    Attributes:
        rows: By cause, by stance.
    """

    rows: Mapping[str, Mapping[str, StopCategory]]

    def category(self, cause: str, stance: str) -> StopCategory:
        """Return what to do; a cause that the table lacks is answered as hard as can be."""
        return self.rows.get(cause, {}).get(stance, StopCategory.DAMP)

    def hardest(self, causes: Iterable[str], stance: str) -> tuple[str, StopCategory]:
        """Return the cause that asks for the hardest stop, the first of equals; an empty name if there is none."""
        found = [(cause, self.category(cause, stance)) for cause in causes]
        return min(found, key=lambda pair: pair[1]) if found else ("", StopCategory.WAIT)

    @classmethod
    def load(cls, path: str | Path = "safety.yaml") -> "StopTable":
        """Read the table.

        Raises:
            ConfigError: The file is missing, a row lacks a stance, or a category is unknown.
        """
        file = find_config(path)
        try:
            data: dict[str, Any] = load_yaml(file.read_text())["stops"]
            return cls({cause: _row(str(cause), row) for cause, row in data.items()})
        except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
            text = f"lacks the key {error}" if isinstance(error, KeyError) else str(error).replace("\n", " ")
            raise ConfigError(f"unusable table of stops: {text}", where=str(file)) from error


def _row(cause: str, row: Mapping[str, str]) -> dict[str, StopCategory]:
    known = {category.name.lower(): category for category in StopCategory}
    for stance in (BaseCondition.FIXED, BaseCondition.BALANCED, BaseCondition.UNBALANCED):
        if row.get(stance) not in known:
            raise ValueError(f"{cause}: {stance} is {row.get(stance)!r}, allowed: {', '.join(known)}")
    return {stance: known[name] for stance, name in row.items()}
