# SPDX-License-Identifier: Apache-2.0
"""The simulated robot: takes `command`, publishes what a real robot's drivers would, and the clock.

Services `~/reset_world` and `~/set_pause` bear the names of ros-controls/mujoco_ros2_control (its mujoco_simulation.cpp),
with standard types. A reset puts the robot to rest and draws a new goal, the k-th from the seeds (`seed`, k);
`task/reset` draws one and leaves the robot where it is. A message on `~/push` [N·s, world] pushes a free base.
"""

from dataclasses import dataclass
from time import monotonic_ns, sleep
from typing import Any

import numpy as np
from geometry_msgs.msg import Vector3
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_srvs.srv import SetBool, Trigger

from kata_model.config.params import param
from kata_model.robot import load_robot
from kata_msgs.msg import JointCommand as JointCommandMsg
from kata_nodes import convert, qos
from kata_nodes.clocks import in_lockstep
from kata_nodes.odometry import vector_from
from kata_nodes.params import declare
from kata_nodes.sim.sim_topics import SimTopics, SimTopicsConfig
from kata_nodes.spin import run
from kata_sim import HEAD_CAMERA, BackgroundCamera, Pacer, SimConfig, Simulation

__all__ = ["SimNode", "SimNodeConfig", "main"]

_TICK = 0.004
"""Simulated time between two publications of the clock [s]; the simulator's own rate of 250 Hz."""

_SHUTTER = 5
"""Ticks from a picture's moment until it is published in lockstep, about what a camera needs; it is made meanwhile."""

_NAP = 0.005
"""Wall time between two looks for a request while time is paused in lockstep [s]."""


@dataclass(frozen=True)
class SimNodeConfig:
    """Parameters of the node, beside those of `SimTopicsConfig` and `kata_sim.SimConfig`."""

    robot: str = param("g1", doc="Name or path of the robot's folder of data.")
    task: str = param("", doc="Name of the task, such as reach, lift or push; empty for the robot's first.")
    seed: int = param(0, low=0, high=2**31 - 1, doc="Seed of the goals and rest positions.")
    speed: float = param(1.0, low=0.0, high=100.0, doc="Simulated over real time; 0: as fast as possible, as in lockstep always.")


class SimNode(Node):
    """Lets simulated time pass and speaks for the robot."""

    def __init__(self, **options: Any) -> None:
        """Build the simulation and start its clock."""
        super().__init__("sim", **options)
        self._config = config = declare(self, SimNodeConfig)
        robot = load_robot(config.robot)
        self._convert = convert.JointConverter(robot.layout)
        self._simulation = Simulation(robot, declare(self, SimConfig), config.task or None)
        self._simulation.reset([config.seed, 0])
        self._resets, self._paused = 0, False
        timestep = self._simulation.config.timestep
        self._steps = max(round(_TICK / timestep), 1)
        self._pacer = Pacer(self._steps * timestep, config.speed)
        self._topics = SimTopics(self, self._simulation, declare(self, SimTopicsConfig))
        self.create_subscription(JointCommandMsg, "command", self._on_command, qos.LATEST)
        self.create_subscription(Vector3, "~/push", self._on_push, qos.EVENT)
        self.create_service(Trigger, "~/reset_world", self._on_reset_world)
        self.create_service(SetBool, "~/set_pause", self._on_set_pause)
        self.create_service(Trigger, "task/reset", self._on_task_reset)
        lockstep = in_lockstep()
        self._camera = BackgroundCamera(self._simulation, HEAD_CAMERA, self._topics.publish_image, collected=lockstep)
        self._exposed = 0
        if self._topics.has_camera:
            self._camera.start()
        if not lockstep:
            period = _TICK / config.speed if config.speed > 0.0 else 1e-4
            self.create_timer(period, self._on_timer, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def destroy_node(self) -> None:
        """Stop the camera first: it publishes from a thread of its own."""
        self._camera.close()
        super().destroy_node()

    def _on_timer(self) -> None:
        due = self._pacer.due(monotonic_ns())
        for _ in range(0 if self._paused else due):
            self._step()

    def advance(self) -> None:
        """Let one tick pass, in lockstep; `kata_nodes.lockstep` calls when all others have answered the last one."""
        if self._paused:
            sleep(_NAP)
            return
        self._exposed += 1
        if self._exposed == _SHUTTER:
            self._camera.collect()
        self._step()

    def _step(self) -> None:
        self._simulation.step(self._steps)
        if self._topics.publish():
            self._camera.shoot()
            self._exposed = 0

    def _on_command(self, message: JointCommandMsg) -> None:
        if self._simulation.standing and not any(message.stiffness):
            return  # from a filter that is still stopped: it would let the robot sag out of the posture of its reset
        command, fault = self._convert.command_from(message)
        if command is None or not self._simulation.command(command):
            self.get_logger().error(f"command refused: {fault or 'not finite'}", throttle_duration_sec=1.0)

    def _on_push(self, message: Vector3) -> None:
        self._simulation.push(vector_from(message))

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
