# SPDX-License-Identifier: Apache-2.0
"""Node `gamepad_device`: a gamepad or keyboard of this machine as `joy`, where ROS's own `joy` is missing."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import Joy

from kata_model.config.params import param
from kata_model.errors import ConfigError
from kata_nodes import params, qos
from kata_nodes.spin import run
from kata_teleop.engage.input_device import InputDevice, InputEvents, find_device


@dataclass(frozen=True)
class NodeConfig:
    """Parameters of the node."""

    kind: str = param("gamepad", choices=("gamepad", "keyboard"), doc="What is looked for where no device is named.")
    device: str = param("", doc="Path of the device, e.g. /dev/input/event5; empty for the first that fits.")
    rate: float = param(60.0, unit="Hz", low=10.0, high=250.0, doc="Rate of joy, whether anything changed or not.")


class GamepadDeviceNode(Node):
    """Publishes the device's state at a rate; a device that is gone lets go of everything, and is looked for again."""

    def __init__(self, **options: Any) -> None:
        """Open the device."""
        super().__init__("gamepad_device", **options)
        self._config = params.declare(self, NodeConfig)
        self._joy = self.create_publisher(Joy, "joy", qos.STREAM)
        self._device: InputDevice | None = self._open()
        self._events = InputEvents(self._device.ranges())
        self.get_logger().info(f"reads {self._device.path}")
        self.create_timer(1.0 / self._config.rate, self._tick, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _open(self) -> InputDevice:
        return InputDevice(Path(self._config.device)) if self._config.device else find_device(self._config.kind)

    def _tick(self) -> None:
        if self._device is None:
            self._look_again()
            return
        data = self._device.read()
        if data is None:
            self.get_logger().error(f"{self._device.path} is gone")
            self._device.close()
            self._device = None
            self._events.release()
        else:
            self._events.feed(data)
        message = Joy(axes=list(self._events.axes), buttons=[int(value > 0.5) for value in self._events.buttons])
        message.header.stamp = self.get_clock().now().to_msg()
        self._joy.publish(message)

    def _look_again(self) -> None:
        try:
            self._device = self._open()
        except ConfigError as error:
            self.get_logger().warning(str(error), throttle_duration_sec=5.0)
            return
        self._events = InputEvents(self._device.ranges())
        self.get_logger().info(f"reads {self._device.path}")


def main() -> None:
    """Run the node."""
    sys.exit(run(GamepadDeviceNode))
