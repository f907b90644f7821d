# SPDX-License-Identifier: Apache-2.0
"""Message types by name: the Python class, and what a bag must tell of them."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from kata_data.bags.definitions import MessageDefinition, message_definition
from kata_model.errors import ConfigError

__all__ = ["MessageType", "message_type"]


@dataclass(frozen=True, slots=True)
class MessageType(MessageDefinition):
    """A message type as installed on this machine.

    Attributes:
        python: The message class.
    """

    python: Any


@cache
def message_type(name: str) -> MessageType:
    """Return a message type by name.

    Raises:
        ConfigError: No such type is installed.
    """
    found = message_definition(name)
    try:
        package, kind, message = name.split("/")
        python = getattr(__import__(f"{package}.{kind}", fromlist=[message]), message)
    except (ValueError, ImportError, AttributeError) as error:
        raise ConfigError(f"no message type {name!r}: {error}", fix="e.g. sensor_msgs/msg/JointState; is it built?") from error
    return MessageType(found.name, found.definition, found.type_hash, python)
