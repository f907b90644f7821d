# SPDX-License-Identifier: Apache-2.0
"""A picture (SVG) of a robot at rest: hulls of its links as dots over capsules, from the front and from the side."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.collision.capsules import CapsuleSet
from kata_model.collision.fit import link_hulls
from kata_model.errors import ConfigError
from kata_model.robot import RobotModel

__all__ = ["draw_capsules"]

_HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="{} {} {} {}" width="1000" style="background:white">'
_CAPSULE = '<line x1="{:.4f}" y1="{:.4f}" x2="{:.4f}" y2="{:.4f}" stroke-width="{:.4f}" stroke="hsl({:.0f},70%,50%)"/>'
_DOT = '<circle cx="{:.4f}" cy="{:.4f}" r="0.0012"/>'


_MARK = '<circle cx="{:.4f}" cy="{:.4f}" r="0.009" fill="none" stroke="black" stroke-width="0.003"/>'
_NAME = '<text x="{:.4f}" y="{:.4f}" font-size="0.02" font-family="sans-serif">{}</text>'
_AXIS = '<line x1="{:.4f}" y1="{:.4f}" x2="{:.4f}" y2="{:.4f}" stroke-width="0.004" stroke="{}"/>'
_COLOURS = ("#d00", "#080", "#00d")  # of x, y and z


def draw_capsules(
    robot: RobotModel, found: CapsuleSet, file: Path, marks: Mapping[str, tuple[str, FloatArray]] | None = None
) -> None:
    """Write the picture.

    Args:
        robot: The robot.
        found: Its capsules.
        file: SVG file to write.
        marks: Points to draw by name, each as a frame and an offset in it [m], with the frame's axes (x red, y green, z blue).

    Raises:
        ConfigError: The file cannot be written.
    """
    half = 0.7 * robot.description.base_height
    lines = [_HEAD.format(-half, -half, 4.0 * half, 3.2 * half), '<g stroke-linecap="round" opacity="0.35">']
    lines += _capsules(robot, found, half)
    lines += ["</g>", *_dots(robot, half), *_marks(robot, marks or {}, half), "</svg>"]
    try:
        file.write_text("\n".join(lines) + "\n")
    except OSError as error:
        raise ConfigError(f"cannot write: {error.strerror}", where=str(file)) from error


def _views(point: FloatArray, half: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return a point as seen from the front and from the side, the second beside the first; down is positive."""
    return (float(point[1]), -float(point[2])), (float(point[0]) + 2.0 * half, -float(point[2]))


def _capsules(robot: RobotModel, found: CapsuleSet, half: float) -> Iterator[str]:
    links = tuple(capsule.link for capsule in found.capsules)
    for i, (capsule, pose) in enumerate(zip(found.capsules, robot.frame_poses(robot.rest, links), strict=True)):
        for start, end in zip(_views(pose.act(capsule.start), half), _views(pose.act(capsule.end), half), strict=True):
            yield _CAPSULE.format(*start, *end, 2.0 * capsule.radius, 137.5 * i % 360.0)


def _dots(robot: RobotModel, half: float) -> Iterator[str]:
    hulls = link_hulls(robot)
    for link, pose in zip(hulls, robot.frame_poses(robot.rest, tuple(hulls)), strict=True):
        for point in hulls[link]:
            for seen in _views(pose.act(point), half):
                yield _DOT.format(*seen)


def _marks(robot: RobotModel, marks: Mapping[str, tuple[str, FloatArray]], half: float) -> Iterator[str]:
    poses = robot.frame_poses(robot.rest, tuple(frame for frame, _ in marks.values()))
    for (name, (_, offset)), pose in zip(marks.items(), poses, strict=True):
        middle = _views(pose.act(offset), half)
        for k, colour in enumerate(_COLOURS):
            for start, end in zip(middle, _views(pose.act(offset + 0.05 * np.eye(3)[k]), half), strict=True):
                yield _AXIS.format(*start, *end, colour)
        for x, y in middle:
            yield _MARK.format(x, y)
        # names of the left in the front view, of the right in the side view: else they cover one another
        x, y = middle[1] if name.startswith("right") else middle[0]
        yield _NAME.format(x + 0.015, y, name)
