# SPDX-License-Identifier: Apache-2.0
"""Pictures of an episode: what the robot's head saw, and the robot as rendered from its measured joints."""

import base64
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from kata_data.building.align import match_past
from kata_data.episodes.episode import Episode
from kata_model.robot import RobotModel
from kata_sim import Image, Marker, PoseRenderer, RenderError, View

__all__ = ["Shot", "head_strip", "instants", "jpeg_uri", "scene_strip", "scene_view", "try_rendering"]

_log = logging.getLogger(__name__)

_GOAL = (0.91, 0.30, 0.16, 1.0)
_TRAIL = (0.14, 0.39, 0.79, 0.9)
_QUALITY = 82
_MOVED = 0.03
"""From where on a joint has visibly moved [rad]."""


class Shot(NamedTuple):
    """One picture of a strip: its data URI, the time [s] it shows, and a word on it."""

    uri: str
    seconds: float
    caption: str


def jpeg_uri(jpeg: bytes) -> str:
    """Return a JPEG as a data URI."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def encode(image: Image) -> bytes:
    """Return an RGB picture as JPEG."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise ValueError(f"cannot encode a picture of shape {image.shape}")
    return bytes(data)


@contextmanager
def try_rendering(robot: RobotModel, width: int, height: int) -> Iterator[PoseRenderer | None]:
    """Give a renderer of pictures of a size [px], or None, with a warning, where nothing can be rendered."""
    try:
        renderer = PoseRenderer(robot, width, height)
    except RenderError as error:
        _log.warning("pictures of the robot are left out: %s", error)
        yield None
        return
    with renderer:
        yield renderer


def instants(episode: Episode, count: int) -> list[int]:
    """Return stamps for a strip, evenly from just before the first movement to just after success, or to the end, [ns]."""
    end = episode.duration if episode.succeeded is None else min(episode.duration, episode.succeeded + 0.1)
    moved = np.abs(episode.state.position - episode.state.position[0]).max(axis=1) > _MOVED
    begin = float(episode.seconds(episode.state.stamp)[moved.argmax()]) - 0.1 if moved.any() else 0.0
    return [episode.start + round(1e9 * t) for t in np.linspace(min(max(begin, 0.0), end), end, count)]


def head_strip(episode: Episode, stamps: Sequence[int]) -> list[Shot]:
    """Return the head camera's pictures next to some instants, each picture once."""
    if not episode.pictures:
        return []
    times = np.array([picture.stamp for picture in episode.pictures])
    chosen = dict.fromkeys(int(np.abs(times - stamp).argmin()) for stamp in stamps)
    return [Shot(jpeg_uri(episode.pictures[i].jpeg), max(0.0, (int(times[i]) - episode.start) * 1e-9), "") for i in chosen]


def scene_view(robot: RobotModel) -> View:
    """Return a view of the robot's arms from its front right."""
    height = robot.description.base_height
    return View((0.2 * height, -0.14 * height, 1.3 * height), distance=1.3 * height, azimuth=2.3, elevation=-0.25)


def scene_strip(
    renderer: PoseRenderer | None, robot: RobotModel, episode: Episode, stamps: Sequence[int], frame: str, goal: str = "goal"
) -> list[Shot]:
    """Render the measured posture at some instants, with the goal and the way the frame has come; none without a renderer."""
    if renderer is None:
        return []
    rows = match_past(episode.state.stamp, np.array(stamps), 10**9)
    up = np.array([0.0, 0.0, robot.description.base_height])
    shots = []
    for stamp, row in zip(stamps, np.maximum(rows, 0), strict=True):
        trail = [robot.frame_poses(episode.state.position[i], (frame,))[0].translation for i in range(0, int(row) + 1, 12)]
        markers = [
            Marker(a + up, end=b + up, radius=0.006, rgba=_TRAIL) for a, b in pairwise(trail) if np.linalg.norm(b - a) > 1e-5
        ]
        word = ""
        if goal in episode.objects.position:
            place = episode.objects.position[goal][max(int(match_past(episode.objects.stamp, np.array([stamp]), 10**9)[0]), 0)]
            markers.append(Marker(place + up, radius=0.02, rgba=_GOAL))
            palm = robot.frame_poses(episode.state.position[row], (frame,))[0].translation
            word = f"{100 * np.linalg.norm(palm - place):.1f} cm to go"
        image = renderer.render(episode.state.position[row], markers=markers, view=scene_view(robot))
        shots.append(Shot(jpeg_uri(encode(image)), (stamp - episode.start) * 1e-9, word))
    return shots
