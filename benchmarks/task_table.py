# SPDX-License-Identifier: Apache-2.0
"""The table of benchmarks/tasks.py as Markdown."""

import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from task_cells import TASKS, VISION, Cell

from kata_learning.evaluation.interval import wilson

__all__ = ["BY_HAND", "document", "kept", "this_machine"]

BY_HAND = "<!-- What follows is written by hand; --doc keeps it. -->"

Measured = Sequence[tuple[Cell, dict[str, Any]]]

_HEAD = """# Benchmark: policies and tasks

Written by `python benchmarks/tasks.py --table --doc docs/benchmark.md`; each figure by `python benchmarks/tasks.py --only
TASK/POLICY` and `--ablations`, on {machine}, {day}, version {commit}. The machine was shared with other work: CPU seconds
are upper bounds.

Every policy of a task learns from the same 100 demonstrations: scripted people through retargeting and safety filter, in every
second episode while what was sent was disturbed (by 0.03 rad, DART). `vision` sees the head camera and its own joints, no object,
and learns from more: {vision}. Attempts start from other scenes, the same for all policies; the policy runs as ONNX
through the safety filter, with its monitor. Success with the 95 % interval by Wilson; seeds are joined.
"""


def document(measured: Measured, missing: Sequence[Cell]) -> str:
    """Return a page with the table, the ablations and what was not measured."""
    machines, days, commits = (
        ", ".join(sorted({str(figures[name]) for _, figures in measured})) or "none" for name in ("machine", "day", "commit")
    )
    more = ", ".join(f"{count} for {task}" for task, count in VISION.items())
    head = _HEAD.format(machine=machines, day=days, commit=commits, vision=more)
    of = {part: [(cell, figures) for cell, figures in measured if cell.part == part] for part in ("table", "small", "ablations")}
    parts = [head, *_table(of["table"])]
    if of["small"]:
        parts += ["", "## Small form: reach, 30 demonstrations, 10 attempts", "", *_table(of["small"])]
    parts += _ablations(of["ablations"])
    if missing:
        names = [f"{cell.task}/{cell.policy} (seed {cell.seed})" for cell in missing]
        parts += ["", "## Not measured", "", ", ".join(names) + "."]
    return "\n".join(parts) + "\n"


def kept(page: Path) -> str:
    """Return what stands on a page below `BY_HAND`, that line included; the line alone where there is none."""
    text = page.read_text() if page.is_file() else ""
    return BY_HAND + "\n" + text.partition(BY_HAND + "\n")[2]


def _table(measured: Measured) -> Iterable[str]:
    labels = list(dict.fromkeys(cell.policy for cell, _ in measured))
    yield from (
        "| policy | " + " | ".join(TASKS) + " | parameters | training CPU-s | inference ms |",
        "|---" * (4 + len(TASKS)) + "|",
    )
    for label in labels:
        of = {task: [figures for cell, figures in measured if (cell.task, cell.policy) == (task, label)] for task in TASKS}
        every = [figures for group in of.values() for figures in group]
        rates = " | ".join(_rate(of[task]) for task in TASKS)
        cpu, latency = (_range([figures[name] for figures in every]) for name in ("train_cpu_s", "latency_ms"))
        yield f"| {label} | {rates} | {max(figures['parameters'] for figures in every):,} | {cpu} | {latency} |"


def _ablations(measured: Measured) -> Iterable[str]:
    if not measured:
        return
    yield from ("", "## Ablations: push, MLP, 50 demonstrations", "", "| | success |", "|---|---|")
    for label in dict.fromkeys(cell.policy for cell, _ in measured):
        yield f"| {label} | {_rate([figures for cell, figures in measured if cell.policy == label])} |"


def _rate(figures: Sequence[dict[str, Any]]) -> str:
    if not figures:
        return "–"
    wins, trials = sum(one["successes"] for one in figures), sum(one["rollouts"] for one in figures)
    low, high = wilson(wins, trials)
    seeds = f", {len(figures)} seeds" if len(figures) > 1 else ""
    return f"{wins / trials:.2f} ({low:.2f}–{high:.2f}; {wins} of {trials}{seeds})"


def _range(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    digits = 0 if high >= 10.0 else 2
    return f"{low:.{digits}f}" if f"{low:.{digits}f}" == f"{high:.{digits}f}" else f"{low:.{digits}f}–{high:.{digits}f}"


def this_machine() -> str:
    """Return the machine in words."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "an unknown processor")
    return f"{os.cpu_count()} cores of {name}, {platform.system()}, Python {platform.python_version()}"
