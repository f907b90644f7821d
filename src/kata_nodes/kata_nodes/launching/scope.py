# SPDX-License-Identifier: Apache-2.0
"""What is known at a place in a launch file: variables, environment, working directory."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kata_nodes.launching.element import Element
from kata_nodes.launching.substitution import Substitution

__all__ = ["Scope"]

_CONDITIONS = {"if", "unless"}


@dataclass(frozen=True, slots=True)
class Scope:
    """Variables and environment, which <arg>, <let> and <set_env> change and <group> restores.

    Attributes:
        variables: Values of <arg> and <let> by name.
        environment: Environment variables for what is started from here on.
    """

    variables: dict[str, str]
    environment: dict[str, str]

    def inner(self) -> "Scope":
        """Return a copy for a <group>: what changes in it stays in it."""
        return Scope(dict(self.variables), dict(self.environment))

    def text(self, element: Element, attribute: str, default: str | None = None) -> str:
        """Return an attribute with its substitutions replaced.

        Raises:
            ConfigError: It is missing and has no default, or a substitution fails.
        """
        raw = element.attributes.get(attribute, default)
        if raw is None:
            raise element.fault(f"<{element.tag}> lacks {attribute}=")
        return Substitution(self.variables, self.environment)(raw, element.where)

    def path(self, element: Element, attribute: str) -> Path:
        """Return an attribute that names an existing file.

        Raises:
            ConfigError: There is no such file.
        """
        path = Path(self.text(element, attribute))
        if not path.is_file():
            raise element.fault(f"no file {path}")
        return path

    def truth(self, element: Element, attribute: str, default: str = "false") -> bool:
        """Return an attribute that is true, false, 1 or 0.

        Raises:
            ConfigError: It is anything else.
        """
        text = self.text(element, attribute, default)
        value = {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower())
        if value is None:
            raise element.fault(f"{attribute}={text!r}", "allowed: true, false")
        return value

    def seconds(self, element: Element, attribute: str) -> float:
        """Return an attribute that is a duration [s], 0 when absent.

        Raises:
            ConfigError: It is not a number from 0 to 3600.
        """
        text = self.text(element, attribute, "0")
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not (0.0 <= value <= 3600.0):
            raise element.fault(f"{attribute}={text!r}", "allowed: 0 to 3600 s")
        return value

    def active(self, element: Element) -> bool:
        """Return whether an element's `if` and `unless` let it count."""
        return self.truth(element, "if", "true") and not self.truth(element, "unless", "false")

    def check(self, element: Element, allowed: Iterable[str]) -> None:
        """Refuse attributes that would be ignored.

        Raises:
            ConfigError: The element has another attribute than the allowed ones and conditions.
        """
        unknown = sorted(set(element.attributes) - set(allowed) - _CONDITIONS)
        if unknown:
            raise element.fault(
                f"<{element.tag}> with {unknown[0]}= is not supported by kata launch", f"supported: {', '.join(sorted(allowed))}"
            )
