# SPDX-License-Identifier: Apache-2.0
"""Substitutions in launch files: $(var name), $(env NAME [default]), $(find-pkg-share package); they nest."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kata_model.errors import ConfigError

__all__ = ["Substitution", "find_package_share", "prefixes"]

_KNOWN = "$(var NAME), $(env NAME [DEFAULT]), $(find-pkg-share PACKAGE)"


def prefixes(environment: Mapping[str, str]) -> list[Path]:
    """Return the install prefixes of the sourced workspaces, nearest first."""
    return [Path(p) for p in environment.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]


def find_package_share(package: str, environment: Mapping[str, str]) -> Path:
    """Return the share folder of an installed ROS package.

    Raises:
        ConfigError: No sourced workspace has the package.
    """
    for prefix in prefixes(environment):
        if (prefix / "share/ament_index/resource_index/packages" / package).exists():
            return prefix / "share" / package
    raise ConfigError(f"no ROS package {package!r}", fix="build it (make setup), then source the workspace (. scripts/env.sh)")


@dataclass(frozen=True, slots=True)
class Substitution:
    """Replaces substitutions in text.

    Attributes:
        variables: Values of <arg> and <let> by name, as they are now.
        environment: Environment variables, as they are now.
    """

    variables: Mapping[str, str]
    environment: Mapping[str, str]

    def __call__(self, text: str, where: str) -> str:
        """Return text with its substitutions replaced, innermost first.

        Args:
            text: Value of an attribute.
            where: File and line, for messages.

        Raises:
            ConfigError: A substitution is unknown, unclosed or has no value.
        """
        return self._read(text, 0, where)[0]

    def _read(self, text: str, at: int, where: str, *, inside: bool = False) -> tuple[str, int]:
        """Return the value of text from `at`, up to its end or to the bracket that closes, and the place after it."""
        value = ""
        while at < len(text):
            if text.startswith("$(", at):
                content, at = self._read(text, at + 2, where, inside=True)
                value += self._value(content, where)
            elif inside and text[at] == ")":
                return value, at + 1
            else:
                value, at = value + text[at], at + 1
        if inside:
            raise ConfigError(f"unclosed substitution in {text!r}", where=where)
        return value, at

    def _value(self, inside: str, where: str) -> str:
        words = inside.split(maxsplit=2)
        match words:
            case ["var", name] if name in self.variables:
                return self.variables[name]
            case ["var", name]:
                raise ConfigError(
                    f"unknown variable {name!r}", where=where, fix=f"known: {', '.join(sorted(self.variables)) or 'none'}"
                )
            case ["env", name, *_] if name in self.environment:
                return self.environment[name]
            case ["env", _, default]:
                return default
            case ["env", name]:
                raise ConfigError(f"environment variable {name} is not set", where=where)
            case ["find-pkg-share", package]:
                return self._share(package, where)
        raise ConfigError(f"$({inside}) is not supported by kata launch", where=where, fix=f"supported: {_KNOWN}")

    def _share(self, package: str, where: str) -> str:
        try:
            return str(find_package_share(package, self.environment))
        except ConfigError as error:
            raise ConfigError(error.what, where=where, fix=error.fix) from error
