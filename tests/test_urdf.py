# SPDX-License-Identifier: Apache-2.0
"""The robot descriptions in urdf/ fit the robots that core loads."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pinocchio
import pytest

from kata_model import load_robot
from kata_model.robot import load_description

URDF = Path(__file__).resolve().parents[1] / "urdf"


@pytest.fixture(scope="module")
def g1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the URDF that xacro makes of the G1's description."""
    file = tmp_path_factory.mktemp("urdf") / "g1.urdf"
    xacro = [
        str(Path(sys.executable).with_name("xacro")),
        str(URDF / "g1.urdf.xacro"),
        f"description:={load_description('g1').urdf}",
    ]
    file.write_text(subprocess.run(xacro, check=True, capture_output=True, text=True).stdout)
    return file


def test_ros2_control_names_the_robots_joints(g1: Path) -> None:
    controlled = {joint.get("name") for joint in ElementTree.parse(g1).iterfind("ros2_control/joint")}
    assert controlled == set(load_robot("g1").layout.names)


def test_xacro_changes_nothing_of_the_robot(g1: Path) -> None:
    made, model = pinocchio.buildModelFromUrdf(str(g1)), load_robot("g1").pinocchio
    assert list(made.names) == list(model.names)
    assert np.array_equal(made.upperPositionLimit, model.upperPositionLimit)
    assert sum(i.mass for i in made.inertias) == pytest.approx(sum(i.mass for i in model.inertias))


def test_optical_frame_looks_along_z(g1: Path) -> None:
    model = pinocchio.buildModelFromUrdf(str(g1))
    link, optical = (model.frames[model.getFrameId(name)].placement for name in ("d435_link", "head_camera_optical_frame"))
    optical_to_link = link.actInv(optical).rotation
    assert optical_to_link @ [0, 0, 1] == pytest.approx([1, 0, 0], abs=1e-9)
    assert optical_to_link @ [1, 0, 0] == pytest.approx([0, -1, 0], abs=1e-9)


def test_toy_hangs_straight_down_at_zero() -> None:
    toy = load_robot("toy")
    (palm,) = toy.frame_poses(np.zeros(4), ("right_palm",))
    assert palm.translation == pytest.approx([0.0, -0.2, -0.6])
    assert toy.gravity_effort(np.zeros(4)) == pytest.approx(0.0, abs=1e-12)
