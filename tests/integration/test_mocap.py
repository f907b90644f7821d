# SPDX-License-Identifier: Apache-2.0
"""A clip of somebody who boxes through the running graph: the robot's wrists follow the person's, within every limit."""

from itertools import pairwise

import numpy as np
import pytest
from sensor_msgs.msg import JointState

from kata_model import JointLayout, load_robot
from kata_msgs.msg import HumanFrames, JointCommand, Verdict
from kata_nodes.convert import JointConverter, frames_from, from_time
from kata_retarget import BodyRetargeter
from kata_safety import SafetyConfig

pytestmark = [pytest.mark.ros, pytest.mark.slow]

FOLLOWED = (Verdict.FOLLOWING, Verdict.LIMITED)
WARM_IN, SECONDS = 3.0, 6.0
DELAY = 0.04
"""By how much the robot's arms lag behind the person's, as README.md has it [s]."""
ARM = {"left": ("left_shoulder_roll_link", "left_elbow_link", "left_wrist_yaw_link")}
ARM["right"] = tuple(name.replace("left", "right") for name in ARM["left"])


@pytest.fixture(scope="module")
def robot():
    """Return the robot, its retargeting kernels compiled: where they are not yet, that takes a minute or two."""
    robot = load_robot("g1")
    BodyRetargeter(robot)
    return robot


@pytest.fixture
def streamed(graph, boxing):
    """Play the clip for some seconds; return what was heard of frames, joint states, commands and verdicts."""
    graph.launch("teleop", "source:=mocap", f"clip:={boxing}", "camera_rate:=0", "console:=false", "engage:=true")
    heard = graph.hear(HumanFrames, "frames"), graph.hear(JointState, "joint_states")
    heard = *heard, graph.hear(JointCommand, "command"), graph.hear(Verdict, "verdict")
    assert graph.until(lambda: heard[3] and heard[3][-1][1].status in FOLLOWED, 10.0)
    graph.run(WARM_IN + SECONDS)
    return heard


def test_wrists_follow_and_commands_keep_every_limit(streamed, robot, report):
    frames, states, commands, verdicts = ([m for _, m in heard] for heard in streamed)
    distance = 100.0 * wrist_distance(robot, frames, states)
    mean, p95 = distance.mean(), np.percentile(distance, 95)
    report(f"wrists against the scaled human's {1e3 * DELAY:.0f} ms before: {mean:.2f} cm mean, {p95:.2f} p95")
    assert mean <= 2.5
    stamps = [from_time(m.header.stamp) for m in frames]
    assert len(set(stamps)) == len(stamps)
    keep_limits(robot, commands)
    followed = [m.status in FOLLOWED for m in verdicts]
    assert all(followed[followed.index(True) :]), "nothing holds a person who moves within the limits"


def keep_limits(robot, commands):
    """Check position limits exactly, and speed from command to command, whose stamps are the source's, by ticks."""
    joints = JointConverter(JointLayout(robot.layout.names))
    positions = np.array([joints.command_from(m).value.position for m in commands])
    assert np.isfinite(positions).all()
    assert (positions >= robot.lower).all()
    assert (positions <= robot.upper).all()
    config = SafetyConfig()
    velocities = np.array([joints.command_from(m).value.velocity for m in commands])
    assert (np.abs(velocities) <= np.minimum(config.velocity_scale * robot.max_velocity, config.max_velocity) + 1e-9).all()


def wrist_distance(robot, frames, states):
    """Return how far wrists are from the human's a moment before, shape (k, 2), [m].

    Both are relative to shoulders, in the pelvis' frame, the human's limbs scaled to the robot's lengths.
    """
    joints = JointConverter(robot.layout)
    state_time = np.array([from_time(m.header.stamp) for m in states]) * 1e-9
    measured = np.array([robot_wrists(robot, joints.state_from(m).value.position) for m in states])
    playing = [frames_from(m) for m in frames][-round(SECONDS * 60) : -round(DELAY * 60) - 1]
    human = np.array([human_wrists(robot, f) for f in playing])
    later = np.array([f.stamp for f in playing]) * 1e-9 + DELAY
    robots = np.stack([np.interp(later, state_time, column) for column in measured.T], axis=1)
    return np.linalg.norm((robots - human).reshape(-1, 2, 3), axis=2)


def robot_wrists(robot, position):
    """Return left and right wrist relative to their shoulders, shape (6,), [m], pelvis frame."""
    poses = [robot.frame_poses(position, (shoulder, wrist)) for shoulder, _, wrist in ARM.values()]
    return np.concatenate([wrist.translation - shoulder.translation for shoulder, wrist in poses])


def human_wrists(robot, frames):
    """Return where the human's wrists would be on arms of the robot's lengths, as `robot_wrists`."""
    x, y, z, w = frames.orientation_xyzw[frames.names.index("pelvis")]
    to_world = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    wrists = []
    for side, links in ARM.items():
        points = frames.position[[frames.names.index(f"{side}_{part}") for part in ("upper_arm", "forearm", "hand")]]
        at_rest = [pose.translation for pose in robot.frame_poses(robot.rest, links)]
        lengths = [np.linalg.norm(b - a) for a, b in pairwise(at_rest)]
        limbs = [(b - a) / np.linalg.norm(b - a) for a, b in pairwise(points)]
        wrists.append(to_world.T @ sum(n * limb for n, limb in zip(lengths, limbs, strict=True)))
    return np.concatenate(wrists)
