# SPDX-License-Identifier: Apache-2.0
"""Parameters, declared once: dataclass fields with unit, range and text."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from kata_model.errors import ConfigError

__all__ = ["ParamInfo", "from_mapping", "info", "param"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ParamInfo:
    """What a parameter means.

    Attributes:
        doc: One sentence.
        unit: SI unit, or empty.
        low: Smallest value allowed, or None.
        high: Largest value allowed, or None.
        choices: Values allowed, or empty for any.
        dynamic: Whether it may change while the node runs.
    """

    doc: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    dynamic: bool = False

    def check(self, name: str, value: Any) -> None:
        """Raise ConfigError unless the value is in range (NaN never is)."""
        if self.choices and value not in self.choices:
            raise ConfigError(f"{name} is {value!r}", fix=f"allowed: {', '.join(self.choices)}")
        low = -float("inf") if self.low is None else self.low
        high = float("inf") if self.high is None else self.high
        if isinstance(value, int | float) and not isinstance(value, bool) and not (low <= value <= high):
            raise ConfigError(f"{name} is {value} {self.unit}".rstrip(), fix=f"allowed: {low} to {high} {self.unit}".rstrip())


def param(default: T, **about: Any) -> T:
    """Declare a parameter as a dataclass field; keywords are those of `ParamInfo`."""
    field: T = dataclasses.field(default=default, metadata={"param": ParamInfo(**about)})
    return field


def info(config: Any) -> dict[str, ParamInfo]:
    """Return what each parameter of a config dataclass (or instance) means."""
    return {f.name: f.metadata["param"] for f in dataclasses.fields(config)}


def from_mapping(config: type[T], values: Mapping[str, Any], *, where: str = "") -> T:
    """Build a config dataclass from departures from its defaults; a config inside a config is a mapping inside the mapping.

    Raises:
        ConfigError: A key is unknown, a value is out of range or of the wrong type.
    """
    known, built = info(config), dict(values)
    for name, value in values.items():
        if name not in known:
            raise ConfigError(f"unknown parameter {name!r}", where=where, fix=f"known: {', '.join(known)}")
        default = next(f.default for f in dataclasses.fields(config) if f.name == name)  # type: ignore[arg-type]
        if dataclasses.is_dataclass(default) and isinstance(value, Mapping):
            built[name] = from_mapping(type(default), value, where=f"{where} {name}".lstrip())
            continue
        if not isinstance(value, type(default)) and not (isinstance(default, float) and type(value) is int):
            raise ConfigError(
                f"{name} is {value!r}, a {type(value).__name__}", where=where, fix=f"expected {type(default).__name__}"
            )
        known[name].check(name, value)
    return config(**built)
