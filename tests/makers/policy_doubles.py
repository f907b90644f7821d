# SPDX-License-Identifier: Apache-2.0
"""Policies that tests ask in the place of a network, and what these see."""

from types import SimpleNamespace

import numpy as np

from kata_model import JointState
from kata_policy.execution import ExecutionConfig
from kata_policy.monitor import Levels, MonitorSpec
from kata_policy.observation import CameraSpec, TermSpec
from kata_policy.running.observation_inputs import ObservationInputs

STEP = 20_000_000
"""Time between steps [ns]; stamps below are counted in it."""
JOINTS = ("right_elbow_joint", "right_wrist_roll_joint")
BALL = np.array([0.3, -0.2, 0.1])
GOAL = ObservationInputs({"goal": BALL})
FAR = ObservationInputs({"goal": np.array([0.3, -0.2, 9.0])})


class Follower:
    """Wants the first joint at the goal's height and the second at rest, at once and in all of its chunk."""

    contract = SimpleNamespace(
        terms=(TermSpec("object_position/goal", (3,)),),
        joint_names=JOINTS,
        horizon=4,
        rate=50.0,
        monitor=None,
        execution=ExecutionConfig(),
        history=1,
        cameras=(),
    )

    def reset(self, seed):
        pass

    def act(self, observation):
        self.seen = observation
        return np.tile([observation["object_position/goal"][2], 0.0], (4, 1)).astype(float)


class Wary(Follower):
    """The same, where goals within 3 m of BALL are what it was trained on."""

    monitor = MonitorSpec(BALL, np.eye(3), Levels(1.0, 3.0, 40), None, 2, 0.1, 0.01)
    contract = SimpleNamespace(**{**vars(Follower.contract), "monitor": monitor})


class Backward(Follower):
    """The same, of three observations, the last of which counts; it looks at pictures, too, and does not move."""

    head = CameraSpec("head", 4, 6)
    contract = SimpleNamespace(**{**vars(Follower.contract), "history": 3, "horizon": 8, "cameras": (head,)})

    def __init__(self):
        self.shown = []

    def act(self, observation):
        self.seen = observation
        self.shown.append(observation["object_position/goal"][:, 0].round().astype(int).tolist())
        return np.zeros((8, 2))


def state(robot, stamp, offset=0.0):
    """Return the robot at rest, all joints off by so much, at a step."""
    zeros = np.zeros(len(robot.layout))
    return JointState(stamp * STEP, robot.rest + offset, zeros, zeros)
