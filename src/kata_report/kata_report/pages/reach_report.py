# SPDX-License-Identifier: Apache-2.0
"""The report on a learned skill: demonstrations, training, and how the policy fared."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from kata_data.dataset import Manifest, load_dataset
from kata_data.episodes.episode import Episode
from kata_learning.evaluation.interval import Interval, wilson
from kata_learning.training.run_folder import load_losses
from kata_learning.training.train import EpochLoss
from kata_model.robot import RobotModel
from kata_report import page, sections
from kata_report.charts import approach_chart, rate_chart
from kata_report.measures import distance_to_goal, latencies, summarise_safety
from kata_report.pictures import head_strip, instants, scene_strip, try_rendering
from kata_sim import load_sim_data
from kata_sim.tasks.reach import TOLERANCE

__all__ = ["ReachReport", "gather", "render"]

_SHOTS = 6


@dataclass(frozen=True, slots=True)
class ReachReport:
    """All that the page shows.

    Attributes:
        robot: The robot.
        frame: Frame of the robot that is to reach the goal; empty if there is none.
        demonstrations: Episodes that a person showed.
        rollouts: Episodes that the policy tried; may be empty.
        losses: By epoch; may be empty.
        manifest: Of the dataset, or None.
    """

    robot: RobotModel
    frame: str
    demonstrations: Sequence[Episode]
    rollouts: Sequence[Episode]
    losses: Sequence[EpochLoss]
    manifest: Manifest | None

    @property
    def successes(self) -> int:
        """Return the number of rollouts that succeeded."""
        return sum(episode.info.success for episode in self.rollouts)

    @property
    def interval(self) -> Interval:
        """Return the 95 % interval of the success rate."""
        return wilson(self.successes, len(self.rollouts))

    @property
    def groups(self) -> Sequence[tuple[str, Sequence[Episode]]]:
        """Return the episodes by who moved the robot, those without episodes left out."""
        both = (("Demonstrations", self.demonstrations), ("Policy", self.rollouts))
        return [(title, episodes) for title, episodes in both if episodes]

    def numbers(self) -> dict[str, float]:
        """Return the page's figures as one flat object."""
        flat: dict[str, float] = {"demonstrations": len(self.demonstrations), "rollouts": len(self.rollouts)}
        if self.rollouts:
            low, high = self.interval
            rate = self.successes / len(self.rollouts)
            flat |= {"success_rate": rate, "successes": self.successes, "success_low": low, "success_high": high}
        for title, episodes in self.groups:
            for stage in latencies(episodes):
                if len(stage.milliseconds):
                    flat[f"{title.lower()}_{stage.key}_p50_ms"] = stage.quantile(0.5)
                    flat[f"{title.lower()}_{stage.key}_p99_ms"] = stage.quantile(0.99)
        return flat


def gather(folder: Path, robot: RobotModel, demonstrations: Sequence[Episode], rollouts: Sequence[Episode]) -> ReachReport:
    """Add what lies beside the bags: ``train`` and ``dataset`` in the folder, if they are there."""
    goal = load_sim_data(robot.description).tasks.reach
    return ReachReport(
        robot=robot,
        frame=goal.frame if goal else "",
        demonstrations=demonstrations,
        rollouts=rollouts,
        losses=load_losses(folder / "train") if (folder / "train").is_dir() else (),
        manifest=load_dataset(folder / "dataset").manifest if (folder / "dataset").is_dir() else None,
    )


def render(report: ReachReport) -> str:
    """Return the page."""
    task = next((e.info.task for _, episodes in report.groups for e in episodes if e.info.task), "reach")
    lead = (
        f"{len(report.demonstrations)} demonstrations were recorded through the running system, a policy was learned from "
        f"them, and it then moved the {report.robot.description.name.upper()} through the same safety filter as the demonstrator."
    )
    typical = [(title, _typical(episodes)) for title, episodes in report.groups]
    names = report.manifest.joint_names if report.manifest else report.robot.layout.names[-7:]
    body = (
        _hero(report),
        _films(report, typical),
        _approach(report),
        sections.joints(typical, names, report.robot),
        sections.latency(report.groups),
        sections.learning(report.losses, report.manifest),
        sections.safety(*report.groups[-1], report.robot),
        _list(report),
    )
    data = f"Dataset {report.manifest.hash[:16]}. " if report.manifest else ""
    return page.document(task[:1].upper() + task[1:], lead, body, f"{data}All figures come from the recorded bags.")


def _hero(report: ReachReport) -> Markup:
    acting = report.groups[-1][1]
    safety = summarise_safety(acting)
    seconds = sorted(e.succeeded for e in acting if e.succeeded is not None)
    figures = [(str(len(report.demonstrations)), "demonstrations")]
    if report.manifest:
        steps = sum(entry.steps for entry in report.manifest.episodes)
        figures.append((f"{steps / report.manifest.rate:.0f} s", "of demonstrated motion to learn from"))
    if report.losses:
        figures.append((str(len(report.losses)), "passes over the data"))
    if seconds:
        figures.append((f"{seconds[len(seconds) // 2]:.1f} s", "from the start to success, median"))
    figures += [
        (sections.milliseconds(latencies(acting)[-1], 0.5), "from measurement to command received, median"),
        (f"{safety.statuses['limited'] / max(1, safety.ticks):.1%}", "of the safety filter's ticks limited the motion"),
    ]
    if not report.rollouts:
        return page.big(str(len(acting)), "", "demonstrations; the policy has not acted yet", figures=figures[1:])
    rate, (low, high) = report.successes / len(acting), report.interval
    says = (
        f"{report.successes} of {len(acting)} attempts succeeded; the true rate lies between {low:.0%} and {high:.0%} "
        "(95 % interval after Wilson)."
    )
    return page.big(f"{100 * rate:.0f}", "%", says, rate_chart(rate, low, high), figures)


def _films(report: ReachReport, typical: Sequence[tuple[str, Episode]]) -> Markup:
    if not report.frame:
        return Markup()
    parts = []
    with try_rendering(report.robot, 420, 420) as renderer:
        for title, episode in typical:
            stamps = instants(episode, _SHOTS)
            parts.append(page.heading(title, episode.info.path.name))
            parts.append(page.strip(scene_strip(renderer, report.robot, episode, stamps, report.frame)))
            parts.append(page.strip(head_strip(episode, stamps), "What the robot's head camera saw"))
    text = (
        "The robot, drawn from its measured joints, with the ball that it is to reach and the way that its palm has come. "
        "Below, the view from its head. Each film is the group's success of median length."
    )
    return page.section("See it move", text, *parts)


def _typical(episodes: Sequence[Episode]) -> Episode:
    """Return the success of median length, or else the first episode."""
    won = sorted((e for e in episodes if e.succeeded is not None), key=lambda e: e.succeeded or 0.0)
    return won[len(won) // 2] if won else episodes[0]


def _approach(report: ReachReport) -> Markup:
    if not report.frame:
        return Markup()
    ways = [
        [(*distance_to_goal(e, report.robot, report.frame), e.info.success) for e in episodes]
        for episodes in (report.demonstrations, report.rollouts)
    ]
    text = (
        "Every line is one episode. "
        f"It counts as a success when the palm stays within {100 * TOLERANCE:g} cm of the ball for half a second."
    )
    return page.section("Every attempt", text, page.chart(approach_chart(ways[0], ways[1], TOLERANCE)))


def _list(report: ReachReport) -> Markup:
    rows = [(title, e, _last(report, e)) for title, episodes in reversed(report.groups) for e in episodes]
    return sections.episode_list(rows, "palm to goal at the end")


def _last(report: ReachReport, episode: Episode) -> str:
    if not report.frame:
        return "–"
    _, distance = distance_to_goal(episode, report.robot, report.frame)
    return f"{100 * float(distance[-1]):.1f} cm" if len(distance) else "–"
