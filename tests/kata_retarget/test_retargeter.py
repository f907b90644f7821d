# SPDX-License-Identifier: Apache-2.0
"""The public API: poses by name in, joints by name out, without ROS; the example of the documents runs."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kata_model import HumanFrames, RobotModel
from kata_model.errors import ConfigError, RobotError
from kata_retarget import BodyRetargeter, HandsConfig, Retargeter
from kata_retarget.skeleton import t_pose

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/retargeting.md"
HAND = np.array([0.3, -0.2, 1.0, 0.0, 0.0, 0.0, 1.0])


def poses_of(frames: HumanFrames) -> dict[str, np.ndarray]:
    return dict(zip(frames.names, np.hstack([frames.position, frames.orientation_xyzw]), strict=True))


def test_the_example_of_the_documents_runs_without_ros_torch_and_mujoco() -> None:
    (example,) = re.findall(r"```python\n(.+?)```", DOCUMENT.read_text(), re.S)
    assert len([line for line in example.splitlines() if line]) == 5
    others = "import sys; print({'rclpy', 'torch', 'mujoco', 'kata_msgs', 'kata_nodes'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", example + others], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    joint, loaded = done.stdout.splitlines()
    assert -2.0 < float(joint) < 2.0
    assert loaded == "set()"


def test_hands_set_out_from_the_rest_posture_or_from_the_measured_one(g1: RobotModel) -> None:
    own, told = Retargeter(g1, HandsConfig()), Retargeter(g1, HandsConfig())
    measured = np.array(g1.rest)
    measured[g1.layout.indices(["left_elbow_joint"])] += 0.1
    for retargeter, position, start in ((own, None, g1.rest), (told, measured, measured)):
        result = retargeter.step({"right_hand": HAND}, position)
        assert list(result.joints) == list(g1.layout.names)
        assert list(result.joints.values()) == pytest.approx(start, abs=1e-9)
    raised = HAND + np.array([0.0, 0.0, 0.05, 0.0, 0.0, 0.0, 0.0])
    for _ in range(20):
        result = own.step({"right_hand": raised})
    before, after = (g1.frame_poses(q, ("right_palm",))[0].translation for q in (g1.rest, result.position))
    assert after - before == pytest.approx([0.0, 0.0, 0.05], abs=2e-3)


def test_what_is_refused_has_reasons_and_no_joints(g1: RobotModel) -> None:
    retargeter = Retargeter(g1, HandsConfig())
    for frame in ({}, {"right_hand": HAND * np.nan}):
        result = retargeter.step(frame)
        assert (result.joints, result.reasons) == ({}, ("no_hands",))


def test_wrong_words_are_named(g1: RobotModel) -> None:
    with pytest.raises(ConfigError, match="right_paw"):
        Retargeter(g1, HandsConfig()).step({"right_paw": HAND})
    with pytest.raises(ValueError, match="right_hand has shape"):
        Retargeter(g1, HandsConfig()).step({"right_hand": HAND[:3]})
    with pytest.raises(ValueError, match="position has shape"):
        Retargeter(g1, HandsConfig()).step({"right_hand": HAND}, [0.0])
    with pytest.raises(RobotError, match="no_such_robot"):
        Retargeter("no_such_robot")
    with pytest.raises(ConfigError, match="rate"):
        Retargeter(g1, HandsConfig(), rate=0.0)


def test_a_body_is_followed_as_by_the_stream(g1: RobotModel) -> None:
    retargeter, stream = Retargeter(g1, rate=30.0), BodyRetargeter(g1)
    for i in range(1, 4):
        frames = t_pose(round(1e9 / 30.0) * i)
        result, same = retargeter.step(poses_of(frames)), stream.step(frames)
        assert np.array_equal(result.position, same.position)
        assert np.array_equal(result.base_position, same.base_position)
