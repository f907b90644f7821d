# SPDX-License-Identifier: Apache-2.0
"""What `kata retarget` says about clips in each program's skeleton: names, unit, axes, and what was mended."""

from pathlib import Path

import numpy as np
import pytest
from humans import CMU, CONVENTIONS, human, write_bvh

from kata.cli import main
from kata_model.trajectory import Trajectory


@pytest.mark.parametrize(
    ("convention", "unit", "up", "calibration"),
    [
        ("lafan", "unit: cm", "up: y", "from the motion"),
        ("xsens", "unit: cm", "up: y", "from the skeleton's rest pose"),
        ("mixamo", "unit: cm", "up: y", "from the skeleton's rest pose"),
        ("blender", "unit: m,", "up: z", "from the skeleton's rest pose"),
        ("unknown", "unit: mm", "up: y", "from the skeleton's rest pose"),
    ],
)
def test_unit_axes_and_calibration_are_told(
    tmp_path: Path, convention: str, unit: str, up: str, calibration: str, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = write_bvh(tmp_path / "a.bvh", human(60), CONVENTIONS[convention])
    assert main(["retarget", str(clip), "--mode", "streaming", "--out", str(tmp_path / "a.npz")]) == 0
    told = capsys.readouterr().out
    for text in ("skeleton:", unit, up, calibration, "floor:"):
        assert text in told, told
    assert np.isfinite(Trajectory.load(tmp_path / "a.npz").joint_position).all()


def test_cgspeeds_faults_are_mended_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A clip with the T-pose first and without the thorax bone moves the robot as a sound one does."""
    who = human(90, t_pose_first=True)
    faulty = write_bvh(tmp_path / "faulty.bvh", who, CMU, ("neck", "left_clavicle", "right_clavicle"))
    sound = write_bvh(tmp_path / "sound.bvh", who, CMU)
    motions = []
    for clip in (faulty, sound):
        assert main(["retarget", str(clip), "--mode", "streaming", "--out", str(clip.with_suffix(".npz"))]) == 0
        motions.append(Trajectory.load(clip.with_suffix(".npz")).joint_position)
        told = capsys.readouterr().out
        assert "frame 0 is a rest pose: dropped" in told
        assert ("no thorax bone" in told) == (clip == faulty)
    np.testing.assert_allclose(motions[0], motions[1], atol=0.05)
