# SPDX-License-Identifier: Apache-2.0
"""Command-line options made from a config dataclass, so that no default is written twice."""

import argparse
import dataclasses
from typing import Any, TypeVar

from kata_model.config.params import from_mapping, info

__all__ = ["add_config", "take_config"]

T = TypeVar("T")


def add_config(parser: argparse.ArgumentParser, config: type[Any], title: str) -> None:
    """Add one option for each parameter of a config dataclass, with text, unit and default."""
    group = parser.add_argument_group(title)
    for field in dataclasses.fields(config):
        about = info(config)[field.name]
        flag = f"--{field.name.replace('_', '-')}"
        if isinstance(field.default, bool):
            group.add_argument(flag, action="store_true", help=about.doc)
            continue
        unit = f" [{about.unit}]" if about.unit else ""
        text = f"{about.doc}{unit} Default: {field.default}.".replace("%", "%%")
        name = type(field.default).__name__.upper()
        group.add_argument(flag, type=type(field.default), default=field.default, metavar=name, help=text)


def take_config(config: type[T], args: argparse.Namespace) -> T:
    """Return the config that the options describe.

    Raises:
        ConfigError: A value is out of range.
    """
    fields = dataclasses.fields(config)  # type: ignore[arg-type]
    return from_mapping(config, {field.name: getattr(args, field.name) for field in fields}, where="options")
