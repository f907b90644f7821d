# SPDX-License-Identifier: Apache-2.0
"""What a bag must tell of a message type: its definition in full, and its hash."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

from kata_core.errors import ConfigError

__all__ = ["MessageType", "message_type"]

_SEPARATOR = "\n" + "=" * 80 + "\n"
_FIELD = re.compile(r"^\s*([A-Za-z]\w*(?:/\w+)?)(?:<=\d+)?(?:\[[^\]]*\])?\s+\w+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MessageType:
    """A message type as installed on this machine.

    Attributes:
        name: Such as ``sensor_msgs/msg/JointState``.
        python: The message class.
        definition: Text of the .msg file and of all it contains, as MCAP's ``ros2msg`` encoding has it.
        type_hash: REP 2011 hash, ``RIHS01_…``.
    """

    name: str
    python: Any
    definition: str
    type_hash: str


@cache
def message_type(name: str) -> MessageType:
    """Return a message type by name.

    Raises:
        ConfigError: No such type is installed.
    """
    try:
        package, kind, message = name.split("/")
        module = __import__(f"{package}.{kind}", fromlist=[message])
        text = _definition(f"{package}/{message}")
        return MessageType(name, getattr(module, message), text, _hash(package, message))
    except (ValueError, ImportError, AttributeError, OSError, PackageNotFoundError) as error:
        raise ConfigError(f"no message type {name!r}: {error}", fix="e.g. sensor_msgs/msg/JointState; is it built?") from error


def _definition(root: str) -> str:
    """Join the .msg texts of a type (``package/Message``) and of all types inside it, each once."""
    texts: dict[str, str] = {}
    waiting = [root]
    while waiting:
        name = waiting.pop(0)
        if name in texts:
            continue
        texts[name] = _file(name, ".msg").read_text()
        package = name.split("/")[0]
        waiting += [inner for field in _FIELD.findall(texts[name]) if (inner := _full_name(field, package))]
    parts = [texts.pop(root), *(f"MSG: {name}\n{text}" for name, text in texts.items())]
    return _SEPARATOR.join(parts)


def _full_name(field: str, package: str) -> str:
    """Return ``package/Message`` for a field that is a message, else an empty string."""
    if "/" in field:
        return field
    return f"{package}/{field}" if field[0].isupper() else ""


def _hash(package: str, message: str) -> str:
    hashes = json.loads(_file(f"{package}/{message}", ".json").read_text())["type_hashes"]
    return str(next(entry["hash_string"] for entry in hashes if entry["type_name"] == f"{package}/msg/{message}"))


def _file(name: str, suffix: str) -> Path:
    package, message = name.split("/")
    return Path(get_package_share_directory(package)) / "msg" / f"{message}{suffix}"
