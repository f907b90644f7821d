# SPDX-License-Identifier: Apache-2.0
"""Parameters of a node come from its config dataclass, with text, range and refusals."""

from dataclasses import dataclass

import pytest
import rclpy
from rclpy.node import Node
from rclpy.parameter import Parameter

from kata_model.config.params import param
from kata_model.errors import ConfigError
from kata_nodes import params

pytestmark = pytest.mark.ros


@dataclass(frozen=True)
class Config:
    """One parameter of each kind."""

    speed: float = param(1.0, unit="m/s", low=0.0, high=2.0, doc="How fast.")
    count: int = param(3, low=0, high=9, doc="How many.")
    mode: str = param("hands", choices=("hands", "body"), doc="What is followed.")
    topics: tuple[str, ...] = param((), doc="What is recorded.")
    mirror: bool = param(False, doc="Swap left and right.")


@pytest.fixture
def declare():
    rclpy.init(args=[])
    nodes = []

    def make(**overrides):
        nodes.append(Node("probe", parameter_overrides=[Parameter(name, value=value) for name, value in overrides.items()]))
        return params.declare(nodes[-1], Config), nodes[-1]

    yield make
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown()


def test_defaults_are_the_dataclass(declare):
    assert declare()[0] == Config()


def test_overrides_arrive_and_a_whole_number_stands_for_a_float(declare):
    config, _ = declare(speed=2, topics=["frames", "target"], mode="body")
    assert config == Config(speed=2, topics=("frames", "target"), mode="body")


@pytest.mark.parametrize(
    "wrong", [{"speed": 2.5}, {"speed": float("nan")}, {"count": 10}, {"mode": "legs"}, {"speed": "fast"}, {"mirror": 1}]
)
def test_wrong_values_name_the_parameter(declare, wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        declare(**wrong)


def test_tools_see_text_unit_and_range_and_cannot_write(declare):
    _, node = declare()
    about = node.describe_parameter("speed")
    assert about.description == "How fast. [m/s]"
    assert about.read_only
    assert about.floating_point_range[0].to_value == 2.0
    assert not node.set_parameters([Parameter("speed", value=0.5)])[0].successful
