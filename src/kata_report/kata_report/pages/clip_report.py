# SPDX-License-Identifier: Apache-2.0
"""The report on motion capture: human and robot side by side, and what was limited."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from kata_data.episodes.episode import BodySeries, Episode
from kata_model.errors import DataError
from kata_model.robot import RobotModel
from kata_report import page, sections
from kata_report.charts import plain
from kata_report.human import SIDES, WristTrack, figure_markers, in_pelvis, track_wrists
from kata_report.measures import flag_seconds, latencies, summarise_safety
from kata_report.pages.clip_charts import limit_raster, wrist_chart
from kata_report.pictures import Shot, encode, jpeg_uri, try_rendering
from kata_sim import PoseRenderer, View

__all__ = ["ClipReport", "gather", "render"]

_SHOTS = 8
_HUMAN_LEG = 0.9
"""A grown person's hip over the floor [m]; scales the figure to about the robot's size."""
_VISIBLE = 0.05
"""Movement of a hand that counts as one [m]."""
_OUT_OF_SIGHT = (40.0, 0.0, 1.0)
"""Behind the camera [m]."""


@dataclass(frozen=True, slots=True)
class ClipReport:
    """All that the page shows.

    Attributes:
        robot: The robot.
        episodes: Those in which a person was engaged, with the wrists of both.
    """

    robot: RobotModel
    episodes: Sequence[tuple[Episode, WristTrack]]

    def numbers(self) -> dict[str, float]:
        """Return the page's figures as one flat object."""
        error = 100.0 * np.concatenate([track.error.ravel() for _, track in self.episodes])
        safety = summarise_safety([episode for episode, _ in self.episodes])
        ticks = max(1, safety.ticks)
        total = latencies([episode for episode, _ in self.episodes])[-1]
        flat = {
            "wrist_error_mean_cm": float(error.mean()),
            "wrist_error_p95_cm": float(np.quantile(error, 0.95)),
            "delay_ms": float(1e3 * np.mean([track.delay for _, track in self.episodes])),
            "seconds": float(sum(track.seconds[-1] - track.seconds[0] for _, track in self.episodes)),
            **{f"share_{name}": count / ticks for name, count in sorted(safety.statuses.items())},
        }
        if len(total.milliseconds):
            flat |= {"latency_p50_ms": total.quantile(0.5), "latency_p99_ms": total.quantile(0.99)}
        return {name: round(value, 4) for name, value in flat.items()}


def gather(episodes: Sequence[Episode], robot: RobotModel) -> ClipReport:
    """Keep the episodes in which a person with arms was engaged.

    Raises:
        DataError: There is none.
    """
    pairs = [(episode, track) for episode in episodes if (track := track_wrists(episode, robot)) is not None]
    if not pairs:
        where = str(episodes[0].info.path) if episodes else ""
        fix = "record one with `kata launch record source:=mocap clip:=…`"
        raise DataError("no bag holds frames of an engaged person with both arms", where=where, fix=fix)
    return ClipReport(robot, pairs)


def render(report: ClipReport) -> str:
    """Return the page."""
    numbers = report.numbers()
    name = report.robot.description.name.upper()
    says = (
        "is how far the robot's wrists are from the person's on average, both measured from the shoulder, with the person's "
        f"limbs scaled to the robot's. The robot follows {numbers['delay_ms']:.0f} ms later."
    )
    latency = f"{numbers['latency_p50_ms']:.0f} ms" if "latency_p50_ms" in numbers else "–"
    figures = [
        (f"{numbers['seconds']:.1f} s", "of motion capture followed"),
        (f"{numbers['wrist_error_p95_cm']:.1f} cm", "wrist distance that 95 % of the time stays below"),
        (latency, "from the person's sample to the command received, median"),
        (f"{numbers.get('share_following', 0.0):.0%}", "of the safety filter's ticks followed the target fully"),
        (f"{numbers.get('share_limited', 0.0):.0%}", "followed it within limits"),
        _most_limited(report),
    ]
    body = [page.big(f"{numbers['wrist_error_mean_cm']:.1f}", "cm", says, figures=figures)]
    for episode, track in report.episodes:
        body.append(_films(report.robot, episode, track))
        body.append(
            page.section("Wrists", "Seen from the shoulders, in the frame of the pelvis.", page.chart(wrist_chart(track)))
        )
        body.append(_limits(report.robot, episode))
    episodes = [episode for episode, _ in report.episodes]
    names = [n for g in ("waist", "left_arm", "right_arm") for n in report.robot.description.groups.get(g, ())]
    body.append(sections.joints([("Arms", episodes[0])], names or report.robot.layout.names[:12], report.robot))
    body.append(sections.latency([("Motion capture", episodes)]))
    body.append(sections.safety("Motion capture", episodes, report.robot))
    lead = f"Recorded human motion was streamed to the {name} as if the person stood there, retargeted, and filtered for safety."
    return page.document(f"The {name} follows a person", lead, body, "All figures come from the recorded bags.")


def _most_limited(report: ClipReport) -> tuple[str, str]:
    """Return for how long the joint that was limited for longest was limited, and its name."""
    names = report.robot.layout.names
    seconds = np.sum(list(flag_seconds([episode for episode, _ in report.episodes], len(names)).values()), axis=0)
    if not seconds.any():
        return "0 s", "no limit ever acted on a joint"
    worst = int(seconds.argmax())
    return f"{seconds[worst]:.1f} s", f"limits acted on the {plain(names[worst])}, more than on any other joint"


def _films(robot: RobotModel, episode: Episode, track: WristTrack) -> Markup:
    human = episode.human
    if human is None:
        return Markup()
    rows = _moving(human)
    chosen = rows[np.linspace(0, len(rows) - 1, _SHOTS).astype(int)]
    with try_rendering(robot, 250, 400) as renderer:
        shots = [_side_by_side(renderer, robot, episode, human, int(row), track.delay) for row in chosen if renderer]
    text = "On the left the person as captured, seen from the pelvis; on the right the robot, drawn from its measured joints."
    if track.delay:
        text += f" Each picture shows the robot {1e3 * track.delay:.0f} ms after the person."
    return page.section("Side by side", text, page.strip(shots, tall=True))


def _moving(human: BodySeries) -> NDArray[np.intp]:
    """Return the engaged samples from the first visible movement on; before it the robot only gets into place."""
    rows = np.flatnonzero(human.engaged)
    hands = np.concatenate([in_pelvis(human, f"{side}_hand")[rows] for side in SIDES], axis=1)
    moved = np.abs(hands - hands[0]).max(axis=1) > _VISIBLE
    return rows[moved.argmax() :] if moved.any() else rows


def _side_by_side(renderer: PoseRenderer, robot: RobotModel, episode: Episode, human: BodySeries, row: int, delay: float) -> Shot:
    """Render the robot as it was a delay [s] after a sample of the human, with the human as a figure beside it."""
    height = robot.description.base_height
    view = View((0.0, 0.0, 1.03 * height), distance=2.6 * height, azimuth=2.75, elevation=-0.1)
    later = int(human.stamp[row]) + round(delay * 1e9)
    state = int(np.clip(np.searchsorted(episode.state.stamp, later), 0, len(episode.state.stamp) - 1))
    position = episode.state.position[state]
    figure = figure_markers(human, row, (0.0, 0.0, height), height / _HUMAN_LEG)
    # Each in a picture of its own, from the same place: in one picture, perspective would bend the two apart.
    person = renderer.render(position, base_position=_OUT_OF_SIGHT, markers=figure, view=view)
    image = np.concatenate([person, renderer.render(position, view=view)], axis=1)
    return Shot(jpeg_uri(encode(image)), float(episode.seconds(human.stamp[row : row + 1])[0]), "")


def _limits(robot: RobotModel, episode: Episode) -> Markup:
    drawing = page.chart(limit_raster(episode, robot.layout.names))
    text = f"When which limit acted on which joint, in {episode.info.path.name}."
    return page.section("What was limited", text, drawing or page.paragraph("No limit ever acted."))
