# SPDX-License-Identifier: Apache-2.0
"""The clips of our own making are a human's: feet stay where they stand, and a robot follows without a fault."""

import numpy as np
import own_clips
import pytest

from kata_report.retarget.retarget_verdict import find_faults
from kata_report.retarget.retarget_view import view_clip
from kata_retarget.jobs import ClipJob, run_jobs
from kata_retarget.mocap import ClipOptions
from kata_sim import SelfCollision


@pytest.mark.parametrize("name", own_clips.CLIPS)
def test_they_are_retargeted_cleanly(g1, tmp_path, name):
    job = ClipJob(own_clips.clip(tmp_path, name), None, "g1", 30.0, "offline", ClipOptions(), adapt=False)
    result = next(run_jobs([job], 1))
    assert not result.error
    assert find_faults(view_clip(g1, result, SelfCollision(g1).beyond_rest)) == []


@pytest.mark.parametrize("make", [own_clips.walking, own_clips.reaching, own_clips.boxing])
def test_limbs_are_whole_and_standing_feet_stay(make):
    human = make()
    for side in ("left", "right"):
        for upper, lower, length in (("thigh", "shin", 0.42), ("shin", "foot", 0.41), ("upper_arm", "forearm", 0.28)):
            bone = np.linalg.norm(human.joint[f"{side}_{upper}"] - human.joint[f"{side}_{lower}"], axis=1)
            np.testing.assert_allclose(bone, length, atol=1e-6)
        ankle = human.joint[f"{side}_foot"]
        flat = ankle[:, 2] < 0.0701
        speed = np.linalg.norm(np.diff(ankle, axis=0), axis=1)[flat[1:] & flat[:-1]] * human.fps
        assert flat.mean() > 0.25
        assert np.percentile(speed, 98.0) < 0.02


def test_the_walk_goes_somewhere_and_the_boxer_punches():
    walk, fight = own_clips.walking(), own_clips.boxing()
    assert 3.0 < walk.joint["hips"][-1, 0] < 7.0
    reach = np.linalg.norm(fight.joint["left_hand"] - fight.joint["left_upper_arm"], axis=1)
    assert np.ptp(reach) > 0.2
    assert np.linalg.norm(np.gradient(fight.joint["right_hand"], 1.0 / fight.fps, axis=0), axis=1).max() > 1.5
