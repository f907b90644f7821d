# SPDX-License-Identifier: Apache-2.0
"""The newest message of a topic, for readers that look less often than it comes."""

from typing import Any

from rclpy.node import Node
from rclpy.serialization import deserialize_message

from kata_nodes import qos

__all__ = ["Latest"]


class Latest:
    """Keeps the bytes of the newest message and deserialises them when somebody looks.

    A joint state of 29 names costs most of its CPU time in being deserialised; who looks at 50 Hz need not
    pay that at 250 Hz.
    """

    def __init__(self, node: Node, kind: Any, topic: str) -> None:
        """Subscribe.

        Args:
            node: The node that looks.
            kind: Message class.
            topic: Relative name.
        """
        self._kind = kind
        self._data: bytes | None = None
        self._message: Any = None
        node.create_subscription(kind, topic, self._take, qos.LATEST, raw=True)

    def _take(self, data: bytes) -> None:
        self._data = data

    def read(self) -> Any:
        """Return the newest message, or None while there is none."""
        if self._data is not None:
            self._message, self._data = deserialize_message(self._data, self._kind), None
        return self._message

    def forget(self) -> None:
        """Drop what came so far."""
        self._data = self._message = None
