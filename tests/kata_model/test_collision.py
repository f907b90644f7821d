# SPDX-License-Identifier: Apache-2.0
"""Capsules: distances, data, fitting."""

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

from kata_model import ConfigError, RobotModel, load_robot
from kata_model.collision import Capsule, CapsuleSet, load_capsules
from kata_model.collision.distance import nearest_points
from kata_model.collision.fit import link_hulls
from kata_model.collision.store import store_capsules
from kata_retarget.solver.gaps import gaps, watched_capsules


@pytest.mark.parametrize("seed", range(30))
def test_nearest_points_agree_with_a_search(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    on_a, on_b = np.zeros(3), np.zeros(3)
    distance = nearest_points(a, b, on_a, on_b)

    def between(s: np.ndarray) -> float:
        return float(np.linalg.norm(a[0] + s[0] * (a[1] - a[0]) - b[0] - s[1] * (b[1] - b[0])))

    best = min(minimize(between, start, bounds=[(0, 1)] * 2).fun for start in ([0.1, 0.1], [0.9, 0.1], [0.1, 0.9], [0.9, 0.9]))
    assert distance == pytest.approx(best, abs=1e-6)
    assert distance == pytest.approx(float(np.linalg.norm(on_a - on_b)))


@pytest.mark.parametrize("case", ["points", "parallel", "point and segment"])
def test_degenerate_segments_have_distances(case: str) -> None:
    a = np.array([[0.0, 0, 0], [0.0, 0, 0]]) if case != "parallel" else np.array([[0.0, 0, 0], [1.0, 0, 0]])
    b = np.array([[0.3, 0, 1], [0.3, 0, 1]]) if case == "points" else np.array([[0.0, 0, 1], [2.0, 0, 1]])
    expected = np.hypot(0.3, 1.0) if case == "points" else 1.0
    assert nearest_points(a, b, np.zeros(3), np.zeros(3)) == pytest.approx(expected)


def test_rest_is_free_and_deep_overlap_is_not(g1: RobotModel) -> None:
    capsules = watched_capsules(g1, load_capsules(g1))
    assert (gaps(g1, capsules, g1.rest) + capsules.slack >= -1e-12).all()
    crossed = np.array(g1.rest)
    crossed[g1.layout.indices(["left_shoulder_roll_joint"])] = -1.5
    assert (gaps(g1, capsules, crossed) + capsules.slack).min() < -0.02


def test_capsules_cover_the_hulls_they_were_fitted_to(g1: RobotModel) -> None:
    found = load_capsules(g1).capsules
    for link, corners in link_hulls(g1).items():
        outside = np.full(len(corners), np.inf)
        for c in found:
            if c.link == link:
                along = c.end - c.start
                t = np.clip((corners - c.start) @ along / max(float(along @ along), 1e-12), 0.0, 1.0)
                outside = np.minimum(outside, np.linalg.norm(corners - c.start - t[:, None] * along, axis=1) - c.radius)
        assert outside.max() < 0.012, link


def test_capsules_survive_the_file(g1: RobotModel, tmp_path: Path) -> None:
    given = CapsuleSet((Capsule("pelvis", np.zeros(3), np.array([0.0, 0.0, 0.1]), 0.05),), frozenset({("pelvis", "torso_link")}))
    folder = tmp_path / "robot"
    folder.mkdir()
    (folder / "robot.yaml").write_text((g1.description.folder / "robot.yaml").read_text())
    store_capsules(given, folder / "capsules.yaml")
    back = load_capsules(load_robot(folder))
    assert back.ignored == given.ignored
    np.testing.assert_allclose(back.capsules[0].end, given.capsules[0].end)


@pytest.mark.parametrize("text", ["capsules: 3", "capsules: {nowhere: [{from_m: [0,0,0], to_m: [0,0,1], radius_m: 0.1}]}", "{"])
def test_unusable_capsules_are_refused(g1: RobotModel, tmp_path: Path, text: str) -> None:
    (tmp_path / "robot.yaml").write_text((g1.description.folder / "robot.yaml").read_text())
    (tmp_path / "capsules.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"capsules|nowhere"):
        load_capsules(load_robot(tmp_path))
