# SPDX-License-Identifier: Apache-2.0
"""The page of graded episodes: what they are worth, why, how they agree, and those worth a look."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from kata_data.episodes.episode import Episode, read_episode
from kata_data.grading import Collection, Level
from kata_data.grading.from_bag import GradedBag, GradedSet
from kata_model.robot import RobotModel, load_robot
from kata_report import page
from kata_report.pages.grading_charts import LEVEL_COLOURS, coverage_chart, finding_map, grade_chart, residual_chart, way_chart
from kata_report.pictures import head_strip, instants, scene_strip, try_rendering
from kata_sim import PoseRenderer

__all__ = ["render"]

_SHOWN = 4
"""Episodes that are shown in pictures beside the typical one: those worth a look."""
_SHOTS = 6


def render(found: GradedSet, bar: str) -> str:
    """Return the page.

    Args:
        found: At least one graded bag.
        bar: Worst grade that is good enough.
    """
    body = [_summary(found, bar), _findings(found)]
    for task, together in found.collections.items():
        body += [_agreement(task, together, found), _coverage(task, together, found)]
    body += [_pictures(found), _streams(found.bags), _list(found)]
    minutes = sum(bag.grade.duration for bag in found.bags) / 60.0
    lead = f"{_episodes(len(found.bags))}, {minutes:.1f} minutes: graded by what was recorded, each by itself and all together."
    footer = (
        "Thresholds: config/quality.yaml. A: nothing to mend; B: one warning; C: several; D: one failure; F: several failures."
    )
    return page.document("Quality of the recordings", lead, body, footer)


def _episodes(count: int) -> str:
    return f"{count} episode{'s' if count != 1 else ''}"


def _summary(found: GradedSet, bar: str) -> Markup:
    bags = found.bags
    below = len(found.below(bar))
    says = f"is what nine of ten episodes reach. Below {bar}: {below or 'none'}."
    if found.bad:
        says += f" {_episodes(len(found.bad))} could not be read."
    odd = len({outlier.name for together in found.collections.values() for outlier in together.outliers})
    lost = sum(stream.lost or 0 for bag in bags for stream in bag.grade.streams)
    people = {bag.trace.operator for bag in bags} - {""}
    figures = [
        (f"{sum(bag.info.success for bag in bags)} of {len(bags)}", "saved as a success"),
        (f"{np.mean([bag.grade.rest.share for bag in bags]):.0%}", "of the time at rest"),
        (str(lost), "messages lost"),
        (f"{np.mean([bag.grade.interventions.get('held', 0.0) for bag in bags]):.1%}", "of the filter's ticks did not follow"),
        (str(odd), "unlike the others"),
        (str(len(people)) if people else "–", "operators named"),
    ]
    return page.big(found.letter, "", says, page.chart(grade_chart([bag.grade.letter for bag in bags])), figures)


def _findings(found: GradedSet) -> Markup:
    counts: Counter[tuple[str, Level]] = Counter(
        (f.measure, f.level) for bag in found.bags for f in bag.grade.findings if f.level
    )
    measures = Counter({measure: 0 for measure, _ in counts})
    for (measure, level), count in counts.items():
        measures[measure] += count * (1000 if level is Level.FAILURE else 1)
    rows = [
        (m, _count(counts[m, Level.FAILURE]), _count(counts[m, Level.WARNING]), _worst(found, m))
        for m, _ in measures.most_common()
    ]
    table = page.table(("measure", "failures", "warnings", "at worst"), rows, numbers=(1, 2), empty="Nothing.")
    text = "Each column is an episode, each row a measure. The worst of each measure is told in words."
    return page.section(
        "What lowers the grades", text, page.keys(LEVEL_COLOURS), page.chart(finding_map(found.bags)), Markup("<br>"), table
    )


def _count(count: int) -> str:
    return str(count) if count else "–"


def _worst(found: GradedSet, measure: str) -> str:
    every = [(f.level, f.value, f.text, bag.path.name) for bag in found.bags for f in bag.grade.findings if f.measure == measure]
    _, _, text, name = max(every, key=lambda finding: finding[:2])
    return Markup("{} <small>({})</small>").format(text, name)


def _agreement(task: str, found: Collection, graded: GradedSet) -> Markup:
    robot = _robot_of(graded, found)
    from_median, unexplained = np.degrees(np.median(found.deviation)), np.degrees(np.median(found.residual))
    text = (
        f"Ways of {_episodes(len(found.names))}, cut to the motion and aligned in time. They lie {from_median:.1f}° from the "
        f"median way, {unexplained:.1f}° from what start and goal explain (each judged by the others)."
    )
    people = [
        (o.name or "nobody named", str(o.count), f"{o.duration:.1f} s", f"{np.degrees(o.offset):.1f}°") for o in found.operators
    ]
    head = ("operator", "episodes", "median length", "off the median way")
    table = page.table(head, people, numbers=(1, 2, 3), empty="")
    between = f"{found.between:.0%} of the differences lie between operators."
    return page.section(
        f"How they agree{f': {task}' if task else ''}",
        text,
        page.chart(way_chart(found, robot.layout.names, f"ways, {task}")),
        page.heading("What start and goal do not explain", "by episode; the dotted line is the median"),
        page.chart(residual_chart(found, f"deviation by episode, {task}")),
        table,
        Markup() if np.isnan(found.between) else page.paragraph(between),
        page.bullets([*found.notes, *(f"{o.name} {o.reason}" for o in found.outliers)]),
    )


def _robot_of(graded: GradedSet, found: Collection) -> RobotModel:
    return load_robot(next(bag.robot for bag in graded.bags if bag.path.name == found.names[0]))


def _coverage(task: str, found: Collection, graded: GradedSet) -> Markup:
    operator = {bag.path.name: bag.trace.operator for bag in graded.bags}
    people = [operator[name] for name in found.names]
    parts = []
    for what, space, unit in (("Goals", found.goals, "m"), ("Starts", found.starts, "rad")):
        if space is not None:
            aside = f"{space.size:.2f} {unit} across, emptiest place {space.hole * space.size:.2f} {unit} from the nearest"
            parts.append(page.heading(what, aside) + page.chart(coverage_chart(space, people, unit, f"{what}, {task}")))
    text = (
        "A policy knows what it was shown. Goals are the objects at the beginning; starts, the joints that take part. "
        "A cross marks the emptiest place."
    )
    return page.section(f"What they cover{f': {task}' if task else ''}", text, page.columns(*parts))


def _pictures(found: GradedSet) -> Markup:
    """Show the typical episode, and those worth a look: outliers first, then the worst grades."""
    why = {o.name: o.reason for together in found.collections.values() for o in together.outliers}
    grave = sorted(found.bags, key=lambda bag: (bag.path.name not in why, -ord(bag.grade.letter)))
    chosen = [bag for bag in grave if bag.path.name in why or bag.grade.letter > "B"][:_SHOWN]
    typical = _typical(found)
    shown = [("Typical", typical), *(("Worth a look", bag) for bag in chosen if bag is not typical)]
    parts = []
    with try_rendering(load_robot(typical.robot), 300, 300) as renderer:
        for title, bag in shown:
            usable = renderer if bag.robot == typical.robot else None
            reasons = [*([why[bag.path.name]] if bag.path.name in why else []), *bag.grade.reasons]
            parts += [
                page.heading(f"{title}: {bag.path.name}", f"grade {bag.grade.letter}"),
                page.bullets(reasons),
                *_strips(bag, usable),
            ]
    return page.section("The typical one, and those worth a look", "As the robot moved, and as its camera saw it.", *parts)


def _typical(found: GradedSet) -> GradedBag:
    """Return the episode nearest to the median way of its task; without any, the one of middle length."""
    for together in found.collections.values():
        name = together.names[int(together.deviation.argmin())]
        return next(bag for bag in found.bags if bag.path.name == name)
    return sorted(found.bags, key=lambda bag: bag.grade.duration)[len(found.bags) // 2]


def _strips(bag: GradedBag, renderer: PoseRenderer | None) -> list[Markup]:
    robot = load_robot(bag.robot)
    episode = read_episode(bag.path, robot.layout)
    stamps = instants(episode, _SHOTS)
    frame, goal = _hand(episode, robot), next(iter(episode.objects.position), "")
    scene = scene_strip(renderer, robot, episode, stamps, frame, goal) if frame else []
    return [page.strip(scene), page.strip(head_strip(episode, stamps))]


def _hand(episode: Episode, robot: RobotModel) -> str:
    """Return the hand that went farthest, or an empty string for a robot without hands."""
    frames = tuple(hand.frame for hand in robot.description.hands.values())
    rows = np.linspace(0, len(episode.state.position) - 1, 10).astype(int)
    if not frames:
        return ""
    places = np.array([[p.translation for p in robot.frame_poses(episode.state.position[row], frames)] for row in rows])
    return frames[int(np.linalg.norm(np.diff(places, axis=0), axis=2).sum(axis=0).argmax())]


def _streams(bags: Sequence[GradedBag]) -> Markup:
    topics = sorted({stream.topic for bag in bags for stream in bag.grade.streams})
    rows = []
    for topic in topics:
        all_of = [stream for bag in bags for stream in bag.grade.streams if stream.topic == topic]
        rates = [stream.rate for stream in all_of if not np.isnan(stream.rate)]
        counted = [stream.lost for stream in all_of if stream.lost is not None]
        expected = max(stream.expected for stream in all_of)
        rows.append(
            (
                page.code(topic),
                f"{len(all_of)}",
                f"{expected:g} Hz" if expected else "–",
                f"{np.median(rates):.0f} Hz" if rates else "–",
                f"{min(rates):.0f} Hz" if rates else "–",
                str(sum(counted)) if counted else "not counted",
                f"{1e3 * max(stream.gap for stream in all_of):.0f} ms",
                f"{1e3 * np.median([stream.delay for stream in all_of]):.0f} ms",
            )
        )
    head = ("stream", "episodes", "expected", "median", "slowest", "lost", "longest gap", "delay")
    text = "Rates over each episode; gaps beyond the stream's period; delay from the source's stamp to receipt."
    return page.section("Streams", text, page.table(head, rows, numbers=range(1, len(head))))


def _list(found: GradedSet) -> Markup:
    rows = [
        (
            page.grade(bag.grade.letter),
            bag.path.name,
            page.pill(bag.info.success),
            f"{bag.grade.duration:.1f} s",
            f"{bag.grade.rest.share:.0%}",
            "; ".join(bag.grade.reasons) or "–",
        )
        for bag in found.bags
    ]
    broken = page.bullets(found.bad)
    text = "Each is a bag of its own." + (" Below: what could not be read." if broken else "")
    return page.section(
        "All episodes",
        text,
        page.scroll(page.table(("", "episode", "outcome", "length", "rest", "why"), rows, numbers=(3, 4))),
        broken,
    )
