# SPDX-License-Identifier: Apache-2.0
"""The pages on retargeted clips: one a clip, and a list where there are many."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from kata_model.robot import RobotModel
from kata_report import page
from kata_report.retarget.retarget_charts import effort_chart, error_chart, foot_chart, speed_chart, velocity_chart
from kata_report.retarget.retarget_pictures import interesting_frames, side_by_side
from kata_report.retarget.retarget_verdict import METRICS, Metric, find_faults, within
from kata_report.retarget.retarget_view import ClipView
from kata_retarget.adaptation import Adaptation, AdaptConfig, bounds_of
from kata_sim import PoseRenderer

__all__ = ["IndexRow", "clip_page", "index_page", "index_row"]

_SHOTS = 8
_COLUMNS = ("keypoint_error_cm", "slide_p95_cm_s", "penetration_max_mm", "float_percent", "self_collision_percent", "jerk")
"""Figures of the list of clips."""
_TITLES = ("keypoints cm", "slide p95 cm/s", "under floor mm", "floats %", "touches %", "jerk rad/s³")
_MENDS = 40
_FOOTER = "Figures as in benchmarks/retarget.py; contacts for the evaluation come from the human alone."

IndexRow = tuple[str, ...]
"""Cells of a clip in the list, as HTML."""


def clip_page(robot: RobotModel, view: ClipView, renderer: PoseRenderer | None) -> str:
    """Return the page of one clip; without a renderer it has no pictures."""
    body = [
        _first(view),
        _films(robot, view, renderer),
        _verdict(view),
        page.section(
            "How well it fits",
            "Distance of the robot's keypoints from the human's, whose limbs are given the robot's lengths.",
            page.chart(error_chart(view)),
        ),
        page.section(
            "Feet", "The lowest point of each sole; below, when the foot counts as on the floor.", page.chart(foot_chart(view))
        ),
        page.section(
            "Velocities",
            "The joints that come nearest to their velocity limits. Above the line the robot's safety filter lags behind.",
            page.chart(velocity_chart(view)) if len(view.seconds) > 1 else Markup(),
        ),
        _adaptation(robot, view),
        _calibration(view),
    ]
    name = robot.description.name.upper()
    mode = "with hindsight over the whole clip" if view.result.job.mode == "offline" else "as a stream, without look-ahead"
    lead = f"Human motion turned into the {name}'s, {mode}, at {view.result.job.fps:g} frames a second."
    return page.document(view.name, lead, body, _FOOTER)


def index_row(view: ClipView, link: str) -> IndexRow:
    """Return what the list shows of a clip whose page is at a relative address."""
    faults = find_faults(view)
    numbers = [f"{view.figures[key]:.1f}" for key in _COLUMNS]
    span = f"{view.seconds[-1]:.1f} s"
    if view.adaptation:
        span += f" ({view.adaptation.duration_factor:.2f} ×)"
    what = f"{len(faults)} faults" if len(faults) > 1 else "1 fault"
    return (Markup('<a href="{}">{}</a>').format(link, view.name), span, page.pill(not faults, "clean", what), *numbers)


def index_page(robot: RobotModel, rows: Sequence[IndexRow], errors: Sequence[tuple[str, str]]) -> str:
    """Return the list of many clips; errors are pairs of a clip's name and why there is no motion."""
    head = ("clip", "length", "verdict", *_TITLES)
    body = [page.section("Clips", "Each leads to a page of its own.", page.table(head, rows, numbers=(1, *range(3, len(head)))))]
    failed = page.table(("clip", "why"), errors, empty="")
    body.append(page.section("Not retargeted", "These clips could not be read or followed.", failed))
    name = robot.description.name.upper()
    lead = f"{len(rows)} clips of human motion turned into the {name}'s."
    return page.document(f"Motions of the {name}", lead, body, _FOOTER)


def _first(view: ClipView) -> Markup:
    faults = find_faults(view)
    says = "is how far the robot's keypoints are from the human's on average, both from the hips."
    figures = [
        ("clean" if not faults else f"{len(faults)} fault{'s' if len(faults) > 1 else ''}", "verdict, see below"),
        (f"{view.seconds[-1]:.1f} s", f"long, {len(view.seconds)} frames"),
        (_number(view, METRICS[3]), METRICS[3].title),
        (_number(view, METRICS[4]), METRICS[4].title),
        (_number(view, METRICS[6]), METRICS[6].title),
        (f"{view.velocity.max(initial=0.0):.0%}", "of what the safety filter allows, at the fastest moment of any joint"),
    ]
    return page.big(f"{view.figures['keypoint_error_cm']:.1f}", "cm", says, figures=figures)


def _number(view: ClipView, metric: Metric) -> str:
    value = view.figures[metric.key]
    return "–" if np.isnan(value) else f"{value:.{0 if metric.limit == 0.0 or value >= 100 else 1}f} {metric.unit}".rstrip()


def _films(robot: RobotModel, view: ClipView, renderer: PoseRenderer | None) -> Markup:
    if renderer is None:
        return Markup()
    shots = [side_by_side(renderer, robot, view, row) for row in interesting_frames(view, _SHOTS)]
    text = "The moments that differ most. On the left the human, as a figure of the robot's size; on the right the robot."
    return page.section("Side by side", text, page.strip(shots, tall=True))


def _verdict(view: ClipView) -> Markup:
    faults = find_faults(view)
    words = page.bullets(str(fault) for fault in faults) if faults else page.paragraph("Clean: every figure is within its limit.")
    rows = [
        (
            metric.title,
            _number(view, metric),
            "–" if np.isinf(metric.limit) else f"{metric.limit:g} {metric.unit}".rstrip(),
            "" if np.isinf(metric.limit) else page.pill(within(view, metric), "within", "beyond"),
        )
        for metric in METRICS
    ]
    table = page.table(("figure", "this clip", "clean up to", ""), rows, numbers=(1, 2))
    text = "A clip is clean if all figures are within the limits for motion on a flat floor."
    return page.section("Verdict", text, words, Markup("<br>"), table)


def _adaptation(robot: RobotModel, view: ClipView) -> Markup:
    adaptation = view.adaptation
    if adaptation is None:
        how = page.code("kata retarget … --adapt")
        note = page.paragraph("Not checked; ", how, " does, and slows or lowers what cannot be done.")
        return page.section("Dynamics", "Whether motors, floor and gravity can do what the motion asks.", note)
    text = "By inverse dynamics: can motors, floor and gravity do what the motion asks? Where not, it is slowed or lowered."
    worst = [
        (kind, f"{before:.2f}", f"{after:.2f}", page.pill(after <= 1.01, "within", "beyond"))
        for kind, (before, after) in adaptation.worst.items()
    ]
    table = page.table(("largest value per limit", "before", "after", ""), worst, numbers=(1, 2))
    limit = bounds_of(robot, AdaptConfig()).effort
    parts = [page.paragraph(str(adaptation)), page.columns(table, _share(adaptation))]
    if adaptation.trajectory is not adaptation.original:
        parts.append(page.heading("Speed") + page.chart(speed_chart(adaptation)))
    parts.append(page.heading("Efforts", "after adapting") + page.chart(effort_chart(view, adaptation, limit)))
    mends = sorted(adaptation.mends, key=lambda mend: -mend.excess.ratio)[:_MENDS]
    if mends:
        aside = f"the {_MENDS} largest of {len(adaptation.mends)}" if len(adaptation.mends) > _MENDS else ""
        parts.append(page.heading("What was too much, and what was done", aside) + page.scroll(page.bullets(map(str, mends))))
    return page.section("Dynamics", text, *parts)


def _share(adaptation: Adaptation) -> Markup:
    figures = [
        (f"{adaptation.violating[0]:.0%}", "of the frames were beyond a limit before"),
        (f"{adaptation.violating[1]:.0%}", "are after"),
        (f"{adaptation.duration_factor:.2f} ×", "as long as before"),
    ]
    return page.tiles(figures)


def _calibration(view: ClipView) -> Markup:
    limbs = [(limb, f"{100 * h:.1f} cm", f"{100 * r:.1f} cm", f"{r / h:.2f}") for limb, (h, r) in view.limbs.items()]
    table = page.table(("limb", "human", "robot", "scale"), limbs, numbers=(1, 2, 3))
    text = "What was found out about the clip's file, and how large the robot's limbs are beside the human's."
    return page.section("Calibration", text, page.columns(page.bullets(view.result.notes), table))
