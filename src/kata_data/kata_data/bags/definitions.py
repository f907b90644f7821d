# SPDX-License-Identifier: Apache-2.0
"""What a bag must tell of a message type: its definition in full, and its hash, as installed in the workspace."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from kata_data.bags.metadata import TopicSummary
from kata_model.errors import ConfigError

__all__ = ["BagTopic", "MessageDefinition", "message_definition"]

_SEPARATOR = "\n" + "=" * 80 + "\n"
_FIELD = re.compile(r"^\s*([A-Za-z]\w*(?:/\w+)?)(?:<=\d+)?(?:\[[^\]]*\])?\s+\w+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MessageDefinition:
    """A message type as installed on this machine.

    Attributes:
        name: Such as ``sensor_msgs/msg/JointState``.
        definition: Text of the .msg file and of all it contains, as MCAP's ``ros2msg`` encoding has it.
        type_hash: REP 2011 hash, ``RIHS01_…``.
    """

    name: str
    definition: str
    type_hash: str


@dataclass(frozen=True, slots=True)
class BagTopic:
    """A topic of a bag.

    Attributes:
        name: Full name, such as ``/joint_states``.
        type: Its message type.
        qos: What its publishers offer, as rosbag2 stores it.
    """

    name: str
    type: MessageDefinition
    qos: Sequence[Mapping[str, Any]] = ()

    def summary(self, count: int) -> TopicSummary:
        """Return what metadata.yaml says of the topic after so many messages."""
        return TopicSummary(self.name, self.type.name, self.type.type_hash, self.qos, count)


@cache
def message_definition(name: str) -> MessageDefinition:
    """Return a message type by name.

    Raises:
        ConfigError: No such type is installed.
    """
    try:
        package, _, message = name.split("/")
        return MessageDefinition(name, _definition(f"{package}/{message}"), _hash(package, message))
    except (ValueError, LookupError, StopIteration, OSError) as error:
        fix = "e.g. sensor_msgs/msg/JointState; is it built, and scripts/env.sh sourced?"
        raise ConfigError(f"no message type {name!r}: {error}", fix=fix) from error


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
    """Return a file of an installed package; AMENT_PREFIX_PATH says where ROS packages are (REP 122's layout)."""
    package, message = name.split("/")
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        share = Path(prefix) / "share" / package
        if prefix and share.is_dir():
            return share / "msg" / f"{message}{suffix}"
    raise LookupError(f"package {package!r} is not installed")
