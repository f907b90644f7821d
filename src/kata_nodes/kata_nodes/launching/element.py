# SPDX-License-Identifier: Apache-2.0
"""Elements of a launch file, each with its file and line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from kata_model.errors import ConfigError

__all__ = ["Element", "read_launch_file"]


@dataclass(frozen=True, slots=True)
class Element:
    """One XML element.

    Attributes:
        tag: Its name.
        attributes: Its attributes, not yet substituted.
        file: File that holds it.
        line: Line of its first character, from 1.
        children: Elements inside it, in order.
    """

    tag: str
    attributes: Mapping[str, str]
    file: Path
    line: int
    children: list["Element"] = field(default_factory=list)

    @property
    def where(self) -> str:
        """File and line, for messages."""
        return f"{self.file}:{self.line}"

    def fault(self, what: str, fix: str = "") -> ConfigError:
        """Return an error that names this element's file and line."""
        return ConfigError(what, where=self.where, fix=fix)


class _Builder:
    """Collects the callbacks of expat; ElementTree would lose the lines."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.open: list[Element] = []
        self.root: Element | None = None

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        element = Element(tag, attributes, self.file, self.parser.CurrentLineNumber)
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element
        self.open.append(element)

    def _end(self, tag: str) -> None:
        self.open.pop()

    def _text(self, text: str) -> None:
        if text.strip():
            raise ConfigError(
                f"text {text.strip()[:40]!r} between elements", where=f"{self.file}:{self.parser.CurrentLineNumber}"
            )


def read_launch_file(file: Path) -> Element:
    """Return the root element of a launch file.

    Raises:
        ConfigError: The file is missing, is not XML, or its root is not <launch>.
    """
    builder = _Builder(file)
    try:
        builder.parser.Parse(file.read_bytes(), True)
    except OSError as error:
        raise ConfigError(f"cannot read launch file: {error.strerror}", where=str(file)) from error
    except expat.ExpatError as error:
        raise ConfigError(f"not XML: {expat.ErrorString(error.code)}", where=f"{file}:{error.lineno}") from error
    root = builder.root
    if root is None or root.tag != "launch":
        raise ConfigError(f"the root is <{root.tag if root else ''}>", where=f"{file}:1", fix="expected <launch>")
    return root
