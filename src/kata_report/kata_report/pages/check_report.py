# SPDX-License-Identifier: Apache-2.0
"""The page of a check: violations, margins, what the filter would change, and the robot at the worst moments."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from kata_data.replay.checking import Checked
from kata_model.robot import RobotModel
from kata_report import page
from kata_report.charts import plain
from kata_report.pages.check_charts import risk_map, worst_joints
from kata_report.pictures import Shot, encode, jpeg_uri, try_rendering
from kata_safety.check import KINDS, UsageMeter, Violation
from kata_sim import PoseRenderer

__all__ = ["moment_text", "render"]

_SHOWN = 4
"""Files that are shown in full: the gravest."""
_MOMENTS = 8
_SHOTS = 4
_APART = 0.3
"""Least time between two pictures [s]."""


def render(results: Sequence[Checked], bad: Sequence[str], robot: RobotModel, meter: UsageMeter) -> str:
    """Return the page.

    Args:
        results: At least one.
        bad: One line for each file that could not be checked.
        robot: The robot.
        meter: What measured the results.
    """
    gravest = sorted(results, key=lambda checked: -float(checked.usage.risk.max()))
    body = [_summary(results, bad)]
    with try_rendering(robot, 300, 360) as renderer:
        body += [_file(checked, robot, meter, renderer) for checked in gravest[:_SHOWN]]
    body += [_filter(results), _list(gravest, bad)]
    lead = (
        f"The {robot.description.name.upper()}'s safety layer, run offline over {_files(len(results))}: what breaks a limit, "
        "how near the rest comes, and what the filter would have changed."
    )
    footer = (
        "Position, velocity and effort limits are the robot's own; acceleration limits are the filter's. Efforts are those "
        "of a robot whose base is held. Collisions are between the robot's capsules, which enclose its meshes."
    )
    return page.document("Safety check", lead, body, footer)


def moment_text(violation: Violation, meter: UsageMeter) -> str:
    """Return how far a limit is passed."""
    if violation.kind == "collision":
        return f"parts overlap by {1e3 * meter.overlap(violation.share):.0f} mm"
    return f"{violation.share:.0%} of the limit"


def _files(count: int) -> str:
    return f"{count} file{'s' if count != 1 else ''}"


def _summary(results: Sequence[Checked], bad: Sequence[str]) -> Markup:
    total = sum(len(checked.violations) for checked in results)
    touched = sum(not checked.clean for checked in results)
    says = f"in {touched} of {_files(len(results))}: spans of time in which a joint is beyond one of its limits."
    if bad:
        says += f" {_files(len(bad))} could not be checked."
    ticks = sum(len(checked.passage.verdicts) for checked in results)
    share = {name: sum(c.passage.statuses[name] for c in results) / max(1, ticks) for name in ("following", "limited", "holding")}
    figures = [
        (f"{max(float(c.usage.share[kind].max()) for c in results):.0%}", f"of the {kind} limit used at most")
        for kind in KINDS
        if kind != "collision"
    ]
    apart = min(float(checked.usage.apart.min()) for checked in results)
    figures.append((f"{1e3 * apart:.0f} mm", "between two parts at least" if apart >= 0.0 else "overlap of two parts"))
    figures.append((f"{share['limited']:.0%}", f"of the filter's ticks limited; {share['following']:.0%} followed fully"))
    return page.big(str(total), "violations" if total != 1 else "violation", says, figures=figures)


def _file(checked: Checked, robot: RobotModel, meter: UsageMeter, renderer: PoseRenderer | None) -> Markup:
    parts = [
        page.heading("Risk by joint and time", "largest share of any limit"),
        page.chart(risk_map(checked, robot.layout.names)),
        page.heading("The joints nearest to their limits"),
        page.chart(worst_joints(checked, robot)),
    ]
    shots = _shots(checked, robot, renderer)
    if shots:
        parts += [page.heading("The worst moments"), page.strip(shots)]
    if checked.violations:
        parts += [page.heading("Gravest violations"), _moments(checked, meter)]
    faults = "".join(f" {count} samples left out: {reason}." for reason, count in checked.motion.faults.items())
    what = "Whole trajectory" if checked.stream == "trajectory" else f"Stream: {checked.stream}"
    text = f"{what}, {checked.motion.seconds[-1]:.1f} s, {len(checked.motion)} samples.{faults}"
    return page.section(checked.path.name, text, *parts)


def _moments(checked: Checked, meter: UsageMeter) -> Markup:
    rows = [
        (
            f"{violation.worst:.2f} s",
            plain(violation.joint),
            violation.kind,
            moment_text(violation, meter),
            f"{1e3 * (violation.end - violation.begin):.0f} ms" if violation.end > violation.begin else "one sample",
        )
        for violation in checked.violations[:_MOMENTS]
    ]
    return page.table(("at", "joint", "limit", "how far", "for"), rows, numbers=(4,))


def _shots(checked: Checked, robot: RobotModel, renderer: PoseRenderer | None) -> list[Shot]:
    """Render the robot at the riskiest instants, some time apart, in the order of time."""
    if renderer is None:
        return []
    risk, seconds = checked.usage.risk, checked.motion.seconds
    chosen: list[int] = []
    for row in np.argsort(-risk.max(axis=1)).tolist():
        if all(abs(seconds[row] - seconds[other]) >= _APART for other in chosen):
            chosen.append(row)
        if len(chosen) == _SHOTS:
            break
    return [_shot(checked, robot, renderer, row) for row in sorted(chosen)]


def _shot(checked: Checked, robot: RobotModel, renderer: PoseRenderer, row: int) -> Shot:
    risk, position = checked.usage.risk[row], checked.motion.position[row]
    if checked.base is None:
        image = renderer.render(position)
    else:
        place, turn = np.split(checked.base[row], [3])
        image = renderer.render(position, base_position=place, base_orientation_xyzw=turn)
    joint = int(risk.argmax())
    word = f"{plain(robot.layout.names[joint])} {risk[joint]:.0%}"
    return Shot(jpeg_uri(encode(image)), float(checked.motion.seconds[row]), word)


def _filter(results: Sequence[Checked]) -> Markup:
    reasons: dict[str, int] = {}
    for checked in results:
        for name, count in checked.passage.reasons.items():
            reasons[name] = reasons.get(name, 0) + count
    ticks = max(1, sum(len(checked.passage.verdicts) for checked in results))
    rows = [(name, str(count), f"{count / ticks:.1%}") for name, count in sorted(reasons.items(), key=lambda item: -item[1])]
    change = max(float(checked.passage.change().max()) for checked in results)
    text = (
        f"Its commands left what the input swept within the last 0.1 s by at most {np.degrees(change):.1f}°. "
        "A limit acts before it is reached: the filter keeps margins, and room to brake."
    )
    body = page.table(("reason", "ticks", "share"), rows, numbers=(1, 2), empty="Nothing: every target was followed.")
    return page.section("What the filter does", text, body)


def _list(results: Sequence[Checked], bad: Sequence[str]) -> Markup:
    rows = []
    for checked in results:
        counts = [sum(v.kind == kind for v in checked.violations) for kind in KINDS]
        same = f"{checked.replayed.equal} of {checked.replayed.compared}" if checked.replayed else "–"
        mark = page.pill(checked.clean, "clean", "violations")
        change = f"{np.degrees(float(checked.passage.change().max())):.1f}°"
        rows.append((checked.path.name, mark, *map(str, counts), f"{float(checked.usage.risk.max()):.0%}", change, same))
    head = ("file", "", *KINDS, "worst", "changed by", "verdicts as recorded")
    broken = Markup().join(map(page.paragraph, bad))
    text = "The gravest first. Where a bag holds verdicts, the filter decided again on what it knew then."
    return page.section("All files", text, page.scroll(page.table(head, rows, numbers=range(2, len(head)))), broken)
