# SPDX-License-Identifier: Apache-2.0
"""Pictures: the robot and the goal are in them, and what is missing is named."""

import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import trimesh

from kata_model import RobotError, RobotModel
from kata_sim import (
    HEAD_CAMERA,
    SCENE_CAMERA,
    BackgroundCamera,
    Image,
    Marker,
    PoseRenderer,
    RenderError,
    Simulation,
    encode_jpeg,
    load_sim_data,
)
from kata_sim.world.meshes import cached_mesh


@pytest.fixture(scope="module", autouse=True)
def _can_render(built: Simulation) -> None:
    try:
        built.render()
    except RenderError as error:
        pytest.skip(f"no rendering: {error}")


@pytest.fixture(scope="module")
def poses(g1: RobotModel) -> Iterator[PoseRenderer]:
    with PoseRenderer(g1, 160, 160) as renderer:
        yield renderer


def red_pixels(image: Image) -> int:
    red, green, blue = (image[..., i].astype(int) for i in range(3))
    return int(((red > 120) & (green < red / 2) & (blue < red / 2)).sum())


@pytest.mark.parametrize("camera", [HEAD_CAMERA, SCENE_CAMERA])
def test_the_goal_is_seen_wherever_it_is(simulation: Simulation, camera: str) -> None:
    for seed in range(3):
        simulation.reset(seed)
        image = simulation.render(camera)
        assert image.shape == (240, 320, 3)
        assert image.dtype == np.uint8
        assert image.std() > 10
        assert red_pixels(image) >= 20


def test_goals_at_the_corners_are_in_the_head_cameras_view(simulation: Simulation, g1: RobotModel) -> None:
    box = load_sim_data(g1.description).tasks.reach
    assert box is not None
    for x, y, z in product(*zip(box.low, box.high, strict=True)):
        simulation.data.mocap_pos[0] = [x, y, z + g1.description.base_height]
        simulation.step(1)
        assert red_pixels(simulation.render(HEAD_CAMERA)) > 10, (x, y, z)


def test_the_arm_shows_in_the_head_cameras_picture(simulation: Simulation, g1: RobotModel) -> None:
    before = simulation.render().astype(int)
    elbow = g1.layout.indices(["right_elbow_joint"])
    simulation.data.qpos[elbow] -= 0.4
    simulation.step(1)
    assert np.abs(simulation.render().astype(int) - before).max(axis=2).sum() > 10_000


def test_an_unknown_camera_is_named(simulation: Simulation) -> None:
    with pytest.raises(RenderError, match=r"no camera 'foot' \(known: .*head.*\)"):
        simulation.render("foot")


def test_missing_egl_is_one_line_with_the_cure(g1: RobotModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mujoco.egl", None)
    with pytest.raises(RenderError, match="apt-get install libegl1"):
        PoseRenderer(g1)


def test_markers_are_drawn(poses: PoseRenderer, g1: RobotModel) -> None:
    blue = (0.0, 0.0, 1.0, 1.0)
    bare = poses.render(g1.rest)
    marked = poses.render(g1.rest, markers=[Marker([0.4, -0.2, 1.0], radius=0.05, rgba=blue), Marker([0, 0, 1], [0.5, 0, 1.5])])
    assert (np.abs(marked.astype(int) - bare).max(axis=2) > 30).sum() > 100


def test_too_many_markers_are_refused(poses: PoseRenderer, g1: RobotModel) -> None:
    with pytest.raises(RenderError, match="too many markers"):
        poses.render(g1.rest, markers=[Marker([0, 0, 1])] * 500)


def test_the_base_moves_the_robot_in_the_picture(poses: PoseRenderer, g1: RobotModel) -> None:
    upright = poses.render(g1.rest)
    lying = poses.render(g1.rest, base_orientation_xyzw=[0.0, np.sqrt(0.5), 0.0, np.sqrt(0.5)])
    assert not np.array_equal(upright, lying)


def test_pictures_from_the_background_carry_their_moment(simulation: Simulation) -> None:
    taken: list[tuple[int, Image]] = []
    camera = BackgroundCamera(simulation, HEAD_CAMERA, lambda stamp, image: taken.append((stamp, image)))
    camera.start()
    camera.shoot()
    stamp, expected = simulation.time, simulation.render()
    simulation.step(10)
    camera.close()
    assert taken[0][0] == stamp
    np.testing.assert_array_equal(taken[0][1], expected)


def test_a_jpeg_is_small(simulation: Simulation) -> None:
    jpeg = encode_jpeg(simulation.render())
    assert jpeg[:2] == b"\xff\xd8"
    assert len(jpeg) < 40_000


def test_meshes_are_cached_by_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = tmp_path / "ball.stl"
    trimesh.creation.icosphere(subdivisions=5).export(source)
    small = cached_mesh(source, 0.05)
    assert cached_mesh(source, 0.05) == small
    assert cached_mesh(source, 0.5) != small
    assert 500 < len(trimesh.load(small).faces) < 0.06 * len(trimesh.load(source).faces)
    assert not list((tmp_path / "cache").rglob("*.part"))


def test_a_file_that_is_no_mesh_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "bad.stl").write_bytes(b"solid nothing\nendsolid\n")
    with pytest.raises(RobotError, match=r"bad\.stl: cannot use mesh"):
        cached_mesh(tmp_path / "bad.stl", 0.5)
