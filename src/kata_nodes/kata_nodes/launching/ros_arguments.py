# SPDX-License-Identifier: Apache-2.0
"""Command-line arguments that give a node its name, parameters and remappings, as `ros2 launch` would."""

import json
import math
from collections.abc import Iterator
from typing import Any

import yaml

from kata_nodes.launching.element import Element
from kata_nodes.launching.scope import Scope

__all__ = ["ros_arguments"]


def ros_arguments(node: Element, scope: Scope) -> list[str]:
    """Return what follows ``--ros-args`` for a <node>.

    Raises:
        ConfigError: A child or a value cannot be used.
    """
    name, namespace = scope.text(node, "name", ""), scope.text(node, "namespace", "")
    arguments = ["-r", f"__node:={name}"] if name else []
    if namespace:
        arguments += ["-r", f"__ns:=/{namespace.strip('/')}"]
    # A parameter file may name the node; only a rule that names it too overrides that. Jazzy's rules take no namespace.
    prefix = f"{name}:" if name and not namespace else ""
    for child in node.children:
        if not scope.active(child):
            continue
        if child.tag == "param":
            arguments += _param(child, scope, prefix)
        elif child.tag == "remap":
            arguments += ["-r", f"{scope.text(child, 'from')}:={scope.text(child, 'to')}"]
        else:
            raise child.fault(f"<{child.tag}> in <node> is not supported by kata launch", "supported: param, remap")
    return arguments


def _param(element: Element, scope: Scope, prefix: str) -> list[str]:
    if "from" in element.attributes:
        file = scope.path(element, "from")
        scope.check(element, {"from"})
        return ["--params-file", str(file)]
    return [text for name, value in _values(element, scope) for text in ("-p", f"{prefix}{name}:={_yaml(value)}")]


def _values(element: Element, scope: Scope) -> Iterator[tuple[str, Any]]:
    """Yield names and values of a <param> and the ones inside it, whose names continue its own after a dot."""
    name = scope.text(element, "name")
    if element.children:
        scope.check(element, {"name"})
        for child in element.children:
            if child.tag != "param":
                raise child.fault(f"<{child.tag}> in <param>", "expected <param>")
            if scope.active(child):
                yield from ((f"{name}.{inner}", value) for inner, value in _values(child, scope))
        return
    scope.check(element, {"name", "value"})
    yield name, _parse(element, name, scope.text(element, "value"))


def _parse(element: Element, name: str, text: str) -> Any:
    """Return the value that the text means in YAML: a scalar, or a list of scalars of one type."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise element.fault(
            f"parameter {name} is {text!r}, which is not YAML", "put a text in quotes: value=\"'text'\""
        ) from error
    if value is None:
        return text
    types = {type(item) for item in value} if isinstance(value, list) else {type(value)}
    if len(types) > 1 or not types <= {bool, int, float, str}:
        raise element.fault(f"parameter {name} is {text!r}", "expected a number, a text, a truth value or a list of one of them")
    return value


def _yaml(value: Any) -> str:
    """Return a value as ROS parses it after ``:=``; JSON is YAML but for the numbers that are none."""
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else f"{'-' if value < 0 else ''}.inf"
    return json.dumps(value)
