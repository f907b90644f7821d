# SPDX-License-Identifier: Apache-2.0
"""Command lines from config dataclasses by tyro; unit, range and text come from the parameters' one declaration."""

import dataclasses
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

import tyro

from kata_model.config.params import ParamInfo, from_mapping, info

__all__ = ["flat", "form_of", "parse", "subcommands", "taken"]


def form_of(config: type[Any]) -> type[Any]:
    """Return a dataclass for tyro with the fields, defaults and texts of a config dataclass."""
    fields: list[tuple[str, Any, Any]] = []
    for declared in dataclasses.fields(config):
        about, default = info(config)[declared.name], declared.default
        if dataclasses.is_dataclass(default):
            inner = form_of(type(default))
            fields.append((declared.name, inner, dataclasses.field(default_factory=inner)))
            continue
        kind: Any = Literal[about.choices] if about.choices else type(default)
        fields.append((declared.name, Annotated[kind, tyro.conf.arg(help=_help(about))], dataclasses.field(default=default)))
    made = dataclasses.make_dataclass(config.__name__, fields, frozen=True)
    made.__doc__ = config.__doc__
    return made


def _help(about: ParamInfo) -> str:
    bounds = "" if about.low is None else f"from {about.low:g}" if about.high is None else f"{about.low:g} to {about.high:g}"
    amount = " ".join(part for part in (bounds, about.unit) if part)
    return f"{about.doc} [{amount}]" if amount else about.doc


def taken(config: type[Any], form: Any) -> Any:
    """Return the config that a filled form describes.

    Raises:
        ConfigError: A value is out of range.
    """
    return from_mapping(config, dataclasses.asdict(form), where="options")


def subcommands(forms: Mapping[str, type[Any]]) -> Any:
    """Return the type whose command line begins with one of some names; each form's docstring is its help."""
    named = [Annotated[form, tyro.conf.subcommand(name)] for name, form in forms.items()]
    return reduce(or_, named)


def flat(form: Any) -> Any:
    """Return the type of a field whose own fields need no prefix on the command line."""
    return Annotated[form, tyro.conf.arg(name="")]


def parse(kind: Any, prog: str, description: str, args: Sequence[str]) -> Any:
    """Return what a command line says; a mistake or a wish for help ends the program, as with argparse."""
    return tyro.cli(kind, prog=prog, description=description, args=list(args))
