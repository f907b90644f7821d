# SPDX-License-Identifier: Apache-2.0
"""The simulated robot: takes `command`, publishes what a real robot's drivers would, and the clock.

Services `~/reset_world` and `~/set_pause` bear the names of ros-controls/mujoco_ros2_control (its mujoco_simulation.cpp),
with standard types. A reset puts the robot to rest and draws a new goal, the k-th from the seeds (`seed`, k);
`task/reset` draws one and leaves the robot where it is.
"""

from dataclasses import dataclass
from time import monotonic_ns

import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rosgraph_msgs.msg import Clock as ClockMsg
from sensor_msgs.msg import CompressedImage, Imu
from sensor_msgs.msg import Image as ImageMsg
from sensor_msgs.msg import JointState as JointStateMsg
from std_srvs.srv import SetBool, Trigger

from kata_core.params import param
from kata_core.robot import load_robot
from kata_msgs.msg import JointCommand as JointCommandMsg
from kata_msgs.msg import TaskState as TaskStateMsg
from kata_nodes import convert, qos
from kata_nodes.params import declare
from kata_nodes.spin import run
from kata_sim import HEAD_CAMERA, BackgroundCamera, Every, Image, Pacer, SimConfig, Simulation, encode_jpeg

__all__ = ["SimNode", "SimNodeConfig", "main"]

_TICK = 0.004
"""Simulated time between two publications of the clock [s]; the simulator's own rate of 250 Hz."""


@dataclass(frozen=True)
class SimNodeConfig:
    """What the node adds to `kata_sim.SimConfig`."""

    robot: str = param("g1", doc="Name or path of the robot's folder of data.")
    seed: int = param(0, low=0, high=2**31 - 1, doc="Seed of the goals and rest positions.")
    speed: float = param(1.0, low=0.0, high=100.0, doc="Simulated over real time; 0 is as fast as possible.")
    joint_state_rate: float = param(250.0, unit="Hz", low=1.0, high=250.0, doc="Rate of joint_states and imu.")
    task_rate: float = param(50.0, unit="Hz", low=0.0, high=250.0, doc="Rate of task/state; 0 is never.")
    camera_rate: float = param(10.0, unit="Hz", low=0.0, high=60.0, doc="Rate of camera images; 0 is never.")
    jpeg_quality: int = param(90, low=1, high=100, doc="Quality of compressed images.")


class SimNode(Node):
    """Lets simulated time pass and speaks for the robot."""

    def __init__(self) -> None:
        """Build the simulation and start its clock."""
        super().__init__("sim")
        self._config = config = declare(self, SimNodeConfig)
        robot = load_robot(config.robot)
        self._convert = convert.JointConverter(robot.layout)
        self._simulation = Simulation(robot, declare(self, SimConfig))
        self._simulation.reset([config.seed, 0])
        self._resets, self._paused = 0, False
        timestep = self._simulation.config.timestep
        self._steps = max(round(_TICK / timestep), 1)
        self._pacer = Pacer(self._steps * timestep, config.speed)
        self._joint_due, self._task_due = Every(config.joint_state_rate), Every(config.task_rate)
        facts, self._base = self._simulation.facts, robot.description.base_link
        self._imu_link, self._camera_link = facts.imu_link, facts.camera.link if facts.camera else ""
        self._camera_due = Every(config.camera_rate if self._camera_link else 0.0)
        self._make_publishers()
        self.create_subscription(JointCommandMsg, "command", self._on_command, qos.LATEST)
        self.create_service(Trigger, "~/reset_world", self._on_reset_world)
        self.create_service(SetBool, "~/set_pause", self._on_set_pause)
        self.create_service(Trigger, "task/reset", self._on_task_reset)
        self._camera = BackgroundCamera(self._simulation, HEAD_CAMERA, self._publish_image)
        if config.camera_rate > 0.0 and self._camera_link:
            self._camera.start()
        period = _TICK / config.speed if config.speed > 0.0 else 1e-4
        self.create_timer(period, self._on_timer, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def destroy_node(self) -> None:
        """Stop the camera first: it publishes from a thread of its own."""
        self._camera.close()
        super().destroy_node()

    def _make_publishers(self) -> None:
        self._clock = self.create_publisher(ClockMsg, "/clock", qos.STREAM)
        self._joint_states = self.create_publisher(JointStateMsg, "joint_states", qos.STREAM)
        self._imu = self.create_publisher(Imu, "imu", qos.STREAM)
        self._task = self.create_publisher(TaskStateMsg, "task/state", qos.STREAM)
        self._jpeg = self.create_publisher(CompressedImage, "camera/head/image_raw/compressed", qos.STREAM)
        self._raw = self.create_publisher(ImageMsg, "camera/head/image_raw", qos.STREAM)

    def _on_timer(self) -> None:
        due = self._pacer.due(monotonic_ns())
        for _ in range(0 if self._paused else due):
            self._simulation.step(self._steps)
            self._publish(self._simulation.time)

    def _publish(self, now: int) -> None:
        self._clock.publish(ClockMsg(clock=convert.to_time(now)))
        if self._joint_due.due(now):
            self._joint_states.publish(self._convert.state_to(self._simulation.joint_state()))
            self._publish_imu()
        if self._task_due.due(now):
            t = self._simulation.task_state()
            self._task.publish(convert.task_state_to(now, t.task, t.objects, t.success, t.elapsed, self._base))
        if self._camera_due.due(now):
            self._camera.shoot()

    def _publish_imu(self) -> None:
        if self._imu_link:
            i = self._simulation.imu()
            measured = (i.orientation_xyzw, i.angular_velocity, i.linear_acceleration)
            self._imu.publish(convert.imu_to(i.stamp, *measured, self._imu_link))

    def _publish_image(self, stamp: int, image: Image) -> None:
        self._jpeg.publish(convert.jpeg_to(stamp, encode_jpeg(image, self._config.jpeg_quality), self._camera_link))
        if self._raw.get_subscription_count():
            self._raw.publish(convert.image_to(stamp, image, self._camera_link))

    def _on_command(self, message: JointCommandMsg) -> None:
        if self._simulation.standing and not any(message.stiffness):
            return  # from a filter that is still stopped: it would let the robot sag out of the posture of its reset
        command, fault = self._convert.command_from(message)
        if command is None or not self._simulation.command(command):
            self.get_logger().error(f"command refused: {fault or 'not finite'}", throttle_duration_sec=1.0)

    def _on_reset_world(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._resets += 1
        self._simulation.reset([self._config.seed, self._resets])
        return self._answer(response)

    def _on_task_reset(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._resets += 1
        self._simulation.reset_task(np.random.default_rng([self._config.seed, self._resets]))
        return self._answer(response)

    def _answer(self, response: Trigger.Response) -> Trigger.Response:
        response.success, response.message = True, f"reset {self._resets} of seed {self._config.seed}"
        return response

    def _on_set_pause(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._paused = request.data
        response.success, response.message = True, "paused" if self._paused else "running"
        return response


def main() -> None:
    """Run the node."""
    raise SystemExit(run(SimNode))
