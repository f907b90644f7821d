# SPDX-License-Identifier: Apache-2.0
"""A real motion clip through the running graph: the robot's wrists follow the person's, within every limit."""

from itertools import pairwise

import numpy as np
import pytest
from sensor_msgs.msg import JointState

from kata_core import JointLayout, load_robot
from kata_core.retarget import BodyRetargeter
from kata_core.safety import SafetyConfig
from kata_msgs.msg import HumanFrames, JointCommand, Verdict
from kata_nodes.convert import JointConverter, frames_from, from_time

pytestmark = [pytest.mark.ros, pytest.mark.slow]

CLIP = "cmu_02_05_punch_strike.bvh"
SECONDS = 6.0
ARM = {"left": ("left_shoulder_roll_link", "left_elbow_link", "left_wrist_yaw_link")}
ARM["right"] = tuple(name.replace("left", "right") for name in ARM["left"])


@pytest.fixture(scope="module")
def robot():
    """Return the robot, its retargeting kernels compiled: where they are not yet, that takes a minute or two."""
    robot = load_robot("g1")
    BodyRetargeter(robot)
    return robot


@pytest.fixture
def streamed(launch, probe, mocap, robot):
    """Play the clip for some seconds; return what was heard of frames, joint states, commands and verdicts."""
    launch("teleop", "source:=mocap", f"clip:={mocap / CLIP}", "camera_rate:=0", "console:=false", "engage:=true")
    frames, states = probe.hear(HumanFrames, "frames"), probe.hear(JointState, "joint_states")
    commands, verdicts = probe.hear(JointCommand, "command"), probe.hear(Verdict, "verdict")
    moving = lambda: verdicts and verdicts[-1][1].status in (Verdict.FOLLOWING, Verdict.LIMITED)  # noqa: E731
    assert probe.until(moving, 90.0)
    start = from_time(frames[-1][1].header.stamp)
    assert probe.until(lambda: from_time(frames[-1][1].header.stamp) - start > (3.0 + SECONDS) * 1e9, 60.0)
    return frames, states, commands, verdicts


def test_wrists_follow_and_commands_keep_every_limit(streamed, robot, report):
    frames, states, commands, verdicts = ([m for _, m in heard] for heard in streamed)
    error = wrist_error(robot, frames, states)
    report(f"wrists against the scaled human's, {SECONDS:g} s of {CLIP}: {error}")
    assert error["median_cm"] <= 4.0, "most of the time; a machine that stutters is held now and then, rightly"
    stamps = [from_time(m.header.stamp) for m in frames]
    assert len(set(stamps)) == len(stamps)
    keep_limits(robot, commands)
    assert verdicts[-1].status in (Verdict.FOLLOWING, Verdict.LIMITED)


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


def wrist_error(robot, frames, states):
    """Compare wrists relative to shoulders, in the pelvis' frame, the human's limbs scaled to the robot's lengths.

    The robot needs time to follow; the delay that fits best is reported beside the error.
    """
    joints = JointConverter(robot.layout)
    state_time = np.array([from_time(m.header.stamp) for m in states]) * 1e-9
    measured = np.array([robot_wrists(robot, joints.state_from(m).value.position) for m in states])
    playing = [frames_from(m) for m in frames][-int(SECONDS * 60) :]
    human = np.array([human_wrists(robot, f) for f in playing])
    time = np.array([f.stamp for f in playing]) * 1e-9
    best = {}
    for delay in np.arange(0.0, 0.31, 0.02):
        later = np.stack([np.interp(time + delay, state_time, measured[:, k]) for k in range(measured.shape[1])], axis=1)
        inside = time + delay <= state_time[-1]
        distance = np.linalg.norm((later - human)[inside].reshape(-1, 2, 3), axis=2)
        if not best or 100 * distance.mean() < best["mean_cm"]:
            median, p95 = 100 * np.percentile(distance, (50, 95))
            figures = {"mean_cm": 100 * distance.mean(), "median_cm": median, "p95_cm": p95, "delay_ms": 1e3 * delay}
            best = {name: round(float(value), 2) for name, value in figures.items()}
    return best


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
