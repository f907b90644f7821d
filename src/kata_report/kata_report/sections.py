# SPDX-License-Identifier: Apache-2.0
"""Sections that reports share: joint curves, latency, learning, safety, the list of episodes."""

from collections.abc import Sequence

from markupsafe import Markup

from kata_data.dataset import Manifest
from kata_data.episodes.episode import Episode
from kata_learning.training.train import EpochLoss
from kata_model.robot import RobotModel
from kata_report import page, style
from kata_report.charts import joint_chart, latency_chart, limit_chart, loss_chart
from kata_report.measures import Latency, flag_seconds, latencies, summarise_safety
from kata_safety import SafetyConfig

__all__ = ["episode_list", "joints", "latency", "learning", "milliseconds", "safety"]


_FEW = 3
"""So many episodes have bars over the whole width."""


def milliseconds(stage: Latency, share: float) -> str:
    """Return a quantile as text."""
    return f"{stage.quantile(share):.0f} ms" if len(stage.milliseconds) else "–"


def joints(episodes: Sequence[tuple[str, Episode]], names: Sequence[str], robot: RobotModel) -> Markup:
    """Show target, command and measurement of some joints in titled episodes."""
    index = robot.layout.indices(names)
    parts = []
    for title, episode in episodes:
        parts.append(page.heading(title, episode.info.path.name))
        parts.append(page.chart(joint_chart(episode, names, index, f"joint curves: {title.lower()}")))
    text = (
        "What was wanted, what the safety filter let through, and what the joint did. "
        "The three should lie on one another, the later ones a little after the earlier."
    )
    return page.section("Target, command, measured", text, *parts)


def latency(groups: Sequence[tuple[str, Sequence[Episode]]]) -> Markup:
    """Show how long each stage takes, one column a group."""
    every = [(title, latencies(episodes)) for title, episodes in groups]
    every = [(title, stages) for title, stages in every if len(stages[-1].milliseconds)]
    simulated = any(e.info.custom.get("clock") == "simulated" for _, episodes in groups for e in episodes)
    if groups and all(e.info.custom.get("clock") == "lockstep" for _, episodes in groups for e in episodes):
        text = (
            "Simulated time waited for every node, so that this run is a function of its seeds; nothing in it tells of latency."
        )
        where = page.paragraph(
            "What a sample takes to become a command on this machine: ", page.code("python benchmarks/latency.py"), "."
        )
        return page.section("Latency", text, where)
    limit = max((stage.quantile(0.995) for _, stages in every for stage in stages), default=0.0)
    columns = []
    for title, stages in every:
        rows = [(s.title, *(milliseconds(s, share) for share in (0.5, 0.99, 1.0))) for s in stages]
        drawing = latency_chart(stages, max(limit, 8.0), 4.0 if simulated else 1.0, f"latency by stage, {title.lower()}")
        figures = page.table(("stage", "median", "p99", "longest"), rows, numbers=(1, 2, 3))
        columns += [page.heading(title, f"{len(stages[-1].milliseconds)} samples") + page.chart(drawing), figures]
    if len(every) > 1:
        columns = [drawing + figures for drawing, figures in zip(columns[::2], columns[1::2], strict=True)]
    text = (
        "How long a sample of the hand, or of the policy's observation, takes to become a command, from the stamps in the "
        "verdicts. Each sample counts once, when it is first decided on."
    )
    if simulated:
        text += " On the simulator's clock, time goes in steps of 4 ms."
    return page.section("Latency", text, page.columns(*columns) if columns else Markup())


def learning(losses: Sequence[EpochLoss], manifest: Manifest | None) -> Markup:
    """Show how training went and on what."""
    if not losses:
        return Markup()
    left = page.chart(loss_chart(losses), "The epoch with the lowest loss on held-out episodes is kept.")
    right = _data(manifest) if manifest else Markup()
    text = "Behaviour cloning of chunks of actions, with joints displaced at random so that the policy learns its way back."
    return page.section("Learning", text, page.columns(left, right))


def _data(manifest: Manifest) -> Markup:
    dropped = sum(sum(entry.dropped.values()) for entry in manifest.episodes)
    held = sum(entry.split == "validation" for entry in manifest.episodes)
    kept = sum(entry.steps for entry in manifest.episodes)
    rows = [
        ("episodes", f"{len(manifest.episodes) - held} to train, {held} held out"),
        ("steps", f"{kept} at {manifest.rate:g} Hz; {dropped} dropped for want of a sample in time"),
        ("sees", Markup("<br>").join(map(page.code, manifest.terms))),
        ("moves", Markup("<br>").join(map(page.code, manifest.joint_names))),
    ]
    return page.table(("", "the dataset"), rows)


def safety(title: str, episodes: Sequence[Episode], robot: RobotModel) -> Markup:
    """Show what the safety filter did in some episodes."""
    summary = summarise_safety(episodes)
    if not summary.ticks:
        return Markup()
    rows = [(page.code(reason), str(count), f"{count / summary.ticks:.1%}") for reason, count in summary.reasons.most_common()]
    reasons = page.table(("reason", "ticks", "share"), rows, numbers=(1, 2), empty="Nothing was ever limited.")
    names = robot.layout.names
    limits = page.chart(limit_chart(flag_seconds(episodes, len(names)), names), "Which limit acted, and on which joint")
    bars = page.table(("episode", "from start to end"), [(e.info.path.name, page.status_bar(e)) for e in episodes])
    text = (
        f"The filter judges every target, of a person or a policy alike, {SafetyConfig().rate:g} times a second. "
        f"Shown is: {title.lower()}; each bar is one episode."
    )
    few = len(episodes) <= _FEW
    parts = [bars, page.columns(reasons, limits)] if few else [page.columns(page.scroll(bars), reasons + Markup("<br>") + limits)]
    return page.section("Safety", text, page.keys(style.STATUS), *parts)


def episode_list(rows: Sequence[tuple[str, Episode, str]], last: str) -> Markup:
    """List episodes: who moved the robot, the episode, and what stands in the last column under the given title."""
    cells = [
        (
            e.info.path.name,
            title.lower(),
            page.pill(e.info.success),
            "–" if e.succeeded is None else f"{e.succeeded:.2f} s",
            f"{e.duration:.2f} s",
            note,
            str(sum(e.info.messages.values())),
        )
        for title, e, note in rows
    ]
    head = ("episode", "by", "outcome", "success after", "length", last, "messages")
    text = "Each is a bag of its own, in the folders beside this page."
    return page.section("All episodes", text, page.scroll(page.table(head, cells, numbers=(3, 4, 5, 6))))
