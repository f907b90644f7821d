# SPDX-License-Identifier: Apache-2.0
"""What the simulated robot says: the topics that a real robot's drivers would publish."""

from dataclasses import dataclass, replace

from nav_msgs.msg import Odometry
from rclpy.node import Node
from rosgraph_msgs.msg import Clock as ClockMsg
from sensor_msgs.msg import CompressedImage, Imu
from sensor_msgs.msg import Image as ImageMsg
from sensor_msgs.msg import JointState as JointStateMsg

from kata_model.config.params import param
from kata_msgs.msg import TaskState as TaskStateMsg
from kata_nodes import convert, qos
from kata_nodes.odometry import odometry_to
from kata_sim import Every, Image, Simulation, encode_jpeg

__all__ = ["SimTopics", "SimTopicsConfig"]


@dataclass(frozen=True)
class SimTopicsConfig:
    """Rates of the simulated robot's topics, and the clock of their stamps."""

    clock: str = param(
        "simulated", choices=("simulated", "system"), doc="Clock of the stamps: the simulator's, on /clock, or a driver's."
    )
    joint_state_rate: float = param(250.0, unit="Hz", low=1.0, high=250.0, doc="Rate of joint_states, imu and odom.")
    task_rate: float = param(50.0, unit="Hz", low=0.0, high=250.0, doc="Rate of task/state; 0 is never.")
    camera_rate: float = param(10.0, unit="Hz", low=0.0, high=60.0, doc="Rate of camera images; 0 is never.")
    jpeg_quality: int = param(90, low=1, high=100, doc="Quality of compressed images.")


class SimTopics:
    """Publishes what is due of the simulated robot's state."""

    def __init__(self, node: Node, simulation: Simulation, config: SimTopicsConfig) -> None:
        """Make the publishers."""
        self._node, self._simulation, self._config = node, simulation, config
        description = simulation.robot.description
        self._convert = convert.JointConverter(simulation.robot.layout)
        self._base_link, facts = description.base_link, simulation.facts
        self._imu_link, self._camera_link = facts.imu_link, facts.camera.link if facts.camera else ""
        self._joint_due, self._task_due = Every(config.joint_state_rate), Every(config.task_rate)
        self._camera_due = Every(config.camera_rate if self._camera_link else 0.0)
        self._ahead = 0
        """How far the clock of the stamps is ahead of simulated time [ns]."""
        self._clock = node.create_publisher(ClockMsg, "/clock", qos.STREAM) if config.clock == "simulated" else None
        self._joint_states = node.create_publisher(JointStateMsg, "joint_states", qos.STREAM)
        self._imu = node.create_publisher(Imu, "imu", qos.STREAM)
        self._odom = node.create_publisher(Odometry, "odom", qos.STREAM) if simulation.floating else None
        self._task = node.create_publisher(TaskStateMsg, "task/state", qos.STREAM)
        self._jpeg = node.create_publisher(CompressedImage, "camera/head/image_raw/compressed", qos.STREAM)
        self._raw = node.create_publisher(ImageMsg, "camera/head/image_raw", qos.STREAM)

    @property
    def has_camera(self) -> bool:
        """Whether pictures are wanted and possible."""
        return self._config.camera_rate > 0.0 and bool(self._camera_link)

    def publish(self) -> bool:
        """Publish what is due; return whether a picture is, too."""
        time = self._simulation.time
        if self._clock is None:
            self._ahead = self._node.get_clock().now().nanoseconds - time
        else:
            self._clock.publish(ClockMsg(clock=convert.to_time(time)))
        if self._joint_due.due(time):
            self._publish_body(time + self._ahead)
        if self._task_due.due(time):
            t = self._simulation.task_state()
            message = convert.task_state_to(time + self._ahead, t.task, t.objects, t.success, t.elapsed, self._base_link)
            self._task.publish(message)
        return self._camera_due.due(time)

    def _publish_body(self, stamp: int) -> None:
        self._joint_states.publish(self._convert.state_to(replace(self._simulation.joint_state(), stamp=stamp)))
        if self._imu_link:
            i = self._simulation.imu()
            measured = (i.orientation_xyzw, i.angular_velocity, i.linear_acceleration)
            self._imu.publish(convert.imu_to(stamp, *measured, self._imu_link))
        if self._odom is not None:
            self._odom.publish(odometry_to(replace(self._simulation.base(), stamp=stamp), self._base_link))

    def publish_image(self, stamp: int, image: Image) -> None:
        """Publish a picture that was taken at a simulated time [ns]; from the camera's own thread."""
        stamp += self._ahead
        self._jpeg.publish(convert.jpeg_to(stamp, encode_jpeg(image, self._config.jpeg_quality), self._camera_link))
        if self._raw.get_subscription_count():
            self._raw.publish(convert.image_to(stamp, image, self._camera_link))
