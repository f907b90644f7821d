# SPDX-License-Identifier: Apache-2.0
"""The parameters of all nodes, as far as they answer, for the record."""

from typing import Any

import yaml
from rcl_interfaces.msg import ParameterEvent
from rcl_interfaces.srv import GetParameters, ListParameters
from rclpy.node import Node
from rclpy.parameter import parameter_value_to_python

from kata_nodes import qos
from kata_nodes.services import Services

__all__ = ["ParameterCensus"]

_LOOKS = 100
"""Looks that a node is given to answer before it is left alone."""


class ParameterCensus:
    """Asks each node once, and hears of changes; never waits."""

    def __init__(self, node: Node) -> None:
        """Listen to changes; `look` asks."""
        self._node = node
        self._known: dict[str, dict[str, Any]] = {}
        self._asked: dict[str, _Interview] = {}
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
            self._asked[name] = _Interview(self._node, name)
        for name in self._asked.keys() - present:
            self._asked.pop(name).end()
        for name, interview in self._asked.items():
            values = interview.look()
            if values is not None:
                self._known[name] = values

    def _on_change(self, event: ParameterEvent) -> None:
        values = {p.name: _plain(p.value) for p in (*event.new_parameters, *event.changed_parameters)}
        self._known.setdefault(event.node, {}).update(values)


class _Interview:
    """Two questions to one node: which parameters it has, and their values."""

    def __init__(self, node: Node, name: str) -> None:
        self._list, self._get = f"{name}/list_parameters", f"{name}/get_parameters"
        self._services: Services | None = Services(node, {self._list: ListParameters, self._get: GetParameters})
        self._question = self._services.ask(self._list, ListParameters.Request())
        self._names: list[str] = []
        self._looks = 0

    def look(self) -> dict[str, Any] | None:
        """Go one step further; return the values once they came."""
        if self._services is None:
            return None
        self._looks += 1
        answer = self._question.look()
        if answer is None:
            if self._looks > _LOOKS:
                self.end()
            return None
        if self._names:
            self.end()
            return {name: _plain(value) for name, value in zip(self._names, answer.values, strict=False)}
        self._names = sorted(answer.result.names)
        if not self._names:
            self.end()
            return {}
        self._question = self._services.ask(self._get, GetParameters.Request(names=self._names))
        return None

    def end(self) -> None:
        """Ask no more."""
        if self._services is not None:
            self._question.end()
            self._services.close()
        self._services = None


def _plain(value: Any) -> Any:
    """Return a parameter's value as YAML can hold it; byte arrays become numbers."""
    plain = parameter_value_to_python(value)
    if plain is None or isinstance(plain, bool | int | float | str):
        return plain
    return [int.from_bytes(item, "little") if isinstance(item, bytes) else item for item in plain]
