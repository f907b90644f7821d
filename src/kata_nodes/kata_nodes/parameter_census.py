# SPDX-License-Identifier: Apache-2.0
"""The parameters of all nodes, as far as they answer, for the record."""

from typing import Any

import yaml
from rcl_interfaces.msg import ParameterEvent
from rcl_interfaces.srv import GetParameters, ListParameters
from rclpy.client import Client
from rclpy.node import Node
from rclpy.parameter import parameter_value_to_python

from kata_nodes import qos

__all__ = ["ParameterCensus"]

_TRIES = 100
"""Looks that a node is given to answer before it is left alone."""


class ParameterCensus:
    """Asks each node once, and hears of changes; never waits."""

    def __init__(self, node: Node) -> None:
        """Listen to changes; `look` asks."""
        self._node = node
        self._known: dict[str, dict[str, Any]] = {}
        self._asked: dict[str, _Question] = {}
        node.create_subscription(ParameterEvent, "/parameter_events", self._on_change, qos.EVENT)

    @property
    def text(self) -> str:
        """What is known, as a YAML file of parameters."""
        nodes = {name: {"ros__parameters": values} for name, values in sorted(self._known.items())}
        return str(yaml.safe_dump(nodes, sort_keys=True)) if nodes else ""

    def look(self) -> None:
        """Ask nodes that are new, and take in what others answered; call it now and then."""
        present = {f"{space.rstrip('/')}/{name}" for name, space in self._node.get_node_names_and_namespaces()}
        for name in present - self._asked.keys():
            self._asked[name] = _Question(self._node, name)
        for name in self._asked.keys() - present:
            self._asked.pop(name).end()
        for name, question in self._asked.items():
            values = question.look()
            if values is not None:
                self._known[name] = values

    def _on_change(self, event: ParameterEvent) -> None:
        values = {p.name: _plain(p.value) for p in (*event.new_parameters, *event.changed_parameters)}
        self._known.setdefault(event.node, {}).update(values)


class _Question:
    """Two calls to one node: which parameters it has, and their values."""

    def __init__(self, node: Node, name: str) -> None:
        self._node, self._name, self._tries = node, name, 0
        self._names: list[str] = []
        self._client: Client | None = node.create_client(ListParameters, f"{name}/list_parameters")
        self._answer: Any = None

    def look(self) -> dict[str, Any] | None:
        """Go one step further; return the values once they came."""
        if self._client is None:
            return None
        self._tries += 1
        if self._tries > _TRIES:
            self.end()
        elif self._answer is None:
            self._ask()
        elif self._answer.done():
            return self._take(self._answer.result())
        return None

    def _ask(self) -> None:
        if self._client is not None and self._client.service_is_ready():
            request = GetParameters.Request(names=self._names) if self._names else ListParameters.Request()
            self._answer = self._client.call_async(request)

    def _take(self, result: Any) -> dict[str, Any] | None:
        """Take the names, and ask for the values; or take these."""
        self.end()
        if self._names:
            return {name: _plain(value) for name, value in zip(self._names, result.values, strict=False)}
        self._names = sorted(result.result.names)
        if not self._names:
            return {}
        self._client, self._answer = self._node.create_client(GetParameters, f"{self._name}/get_parameters"), None
        return None

    def end(self) -> None:
        """Ask no more."""
        if self._client is not None:
            self._node.destroy_client(self._client)
        self._client = None


def _plain(value: Any) -> Any:
    """Return a parameter's value as YAML can hold it; byte arrays become numbers."""
    plain = parameter_value_to_python(value)
    if plain is None or isinstance(plain, bool | int | float | str):
        return plain
    return [int.from_bytes(item, "little") if isinstance(item, bytes) else item for item in plain]
