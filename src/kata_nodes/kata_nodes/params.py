# SPDX-License-Identifier: Apache-2.0
"""ROS parameters from the config dataclasses of kata_model."""

import dataclasses
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node

from kata_model.config.params import ParamInfo, from_mapping, info
from kata_model.errors import ConfigError

__all__ = ["declare", "descriptor"]

T = TypeVar("T")


def declare(node: Node, config: type[T]) -> T:
    """Declare each field of a config dataclass as a parameter and return the configuration.

    A tuple of strings becomes a string array. A whole number is taken for a float, since ``speed:=2`` is
    what people write.

    Args:
        node: The node; its overrides (launch file, command line, YAML) are departures from the defaults.
        config: Dataclass whose fields are made by `kata_model.config.params.param`.

    Raises:
        ConfigError: A value is out of range or of the wrong type.
    """
    values: dict[str, Any] = {}
    defaults = {field.name: field.default for field in dataclasses.fields(config)}  # type: ignore[arg-type]
    for name, about in info(config).items():
        default = defaults[name]
        ros_default = list(default) if isinstance(default, tuple) else default
        try:
            value = node.declare_parameter(name, ros_default, descriptor(about, default)).value
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            raise ConfigError(str(error), where=node.get_name(), fix=about.doc) from error
        values[name] = tuple(value) if isinstance(default, tuple) and isinstance(value, list) else value
    return from_mapping(config, values, where=f"node {node.get_name()}")


def descriptor(about: ParamInfo, default: Any) -> ParameterDescriptor:
    """Return what ROS tools show of a parameter: text with unit and choices, range, read-only flag."""
    text = about.doc + (f" [{about.unit}]" if about.unit else "")
    result = ParameterDescriptor(
        description=text,
        additional_constraints=f"one of: {', '.join(about.choices)}" if about.choices else "",
        read_only=not about.dynamic,
        dynamic_typing=not about.dynamic,  # so that an int may stand for a float; from_mapping checks types
    )
    bounded = about.low is not None and about.high is not None
    if bounded and isinstance(default, float):
        result.floating_point_range = [FloatingPointRange(from_value=float(about.low or 0.0), to_value=float(about.high or 0.0))]
    elif bounded and isinstance(default, int) and not isinstance(default, bool):
        result.integer_range = [IntegerRange(from_value=int(about.low or 0), to_value=int(about.high or 0), step=1)]
    return result
