# SPDX-License-Identifier: Apache-2.0
"""Observation inputs from topics, beside the joints: objects, force and torque, pictures."""

import numpy as np
from geometry_msgs.msg import WrenchStamped
from numpy.typing import NDArray
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage

from kata_model.arrays import FloatArray
from kata_msgs.msg import TaskState
from kata_nodes.convert import from_time, objects_from
from kata_nodes.latest import Latest
from kata_policy import PolicyContract
from kata_policy.observation import CameraSpec
from kata_policy.pictures import decode_picture
from kata_policy.running.observation_inputs import ObservationInputs

__all__ = ["ObservationTopics"]


class ObservationTopics:
    """Subscribes to what a policy's contract names, and to nothing else; what is too old counts as missing.

    Pictures of camera NAME come from ``camera/NAME/image_raw/compressed``, the wrench of sensor NAME from ``NAME/wrench``.
    """

    def __init__(self, node: Node, contract: PolicyContract, oldest: float) -> None:
        """Subscribe.

        Args:
            node: The policy's node.
            contract: The policy's.
            oldest: Age from which on a picture or a wrench counts as missing [s].
        """
        self._node, self._oldest = node, round(oldest * 1e9)
        self._task = Latest(node, TaskState, "task/state")
        self._cameras = {
            camera.name: Latest(node, CompressedImage, f"camera/{camera.name.replace('.', '/')}/image_raw/compressed")
            for camera in contract.cameras
        }
        self._decoded: dict[str, tuple[CompressedImage, NDArray[np.uint8] | None]] = {}
        sensors = [term.name.removeprefix("wrench/") for term in contract.terms if term.name.startswith("wrench/")]
        self._wrenches = {sensor: Latest(node, WrenchStamped, f"{sensor}/wrench") for sensor in sensors}

    def inputs(self) -> ObservationInputs:
        """Return what is there now."""
        task = self._task.read()
        wrenches = {name: wrench for name in self._wrenches if (wrench := self._wrench(name)) is not None}
        return ObservationInputs(objects_from(task) if task else {}, wrenches, self._picture)

    def succeeded(self) -> bool:
        """Return whether the task has succeeded since its last reset."""
        task = self._task.read()
        return task is not None and bool(task.success)

    def _picture(self, camera: CameraSpec) -> NDArray[np.uint8] | None:
        image = self._cameras[camera.name].read()
        if image is None or self._old(image):
            return None
        if self._decoded.get(camera.name, (None,))[0] is not image:  # most pictures are looked at more than once
            self._decoded[camera.name] = image, decode_picture(image.data, camera.height)
        return self._decoded[camera.name][1]

    def _wrench(self, name: str) -> FloatArray | None:
        message = self._wrenches[name].read()
        if message is None or self._old(message):
            return None
        force, torque = message.wrench.force, message.wrench.torque
        return np.array([force.x, force.y, force.z, torque.x, torque.y, torque.z])

    def _old(self, message: CompressedImage | WrenchStamped) -> bool:
        return not self._node.get_clock().now().nanoseconds - from_time(message.header.stamp) <= self._oldest
