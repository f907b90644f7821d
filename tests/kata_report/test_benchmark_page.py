# SPDX-License-Identifier: Apache-2.0
"""What is written by hand on the benchmark's page outlives the table above it."""

import importlib
import sys
from pathlib import Path

import pytest


@pytest.fixture
def task_table(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[2] / "benchmarks")
    yield importlib.import_module("task_table")
    for name in ("task_table", "task_cells"):
        sys.modules.pop(name, None)


def test_what_is_written_by_hand_is_kept_word_for_word(task_table, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"# Old table\n\n{task_table.BY_HAND}\n\n## Findings\n\nPushing is easy.\n")
    for _ in range(2):
        page.write_text("# New table\n\n" + task_table.kept(page))
    assert page.read_text() == f"# New table\n\n{task_table.BY_HAND}\n\n## Findings\n\nPushing is easy.\n"


def test_a_page_without_such_a_part_gets_room_for_one(task_table, tmp_path):
    page = tmp_path / "page.md"
    assert task_table.kept(page) == task_table.BY_HAND + "\n"
    page.write_text("# All of it is the table's\n")
    assert task_table.kept(page) == task_table.BY_HAND + "\n"


def test_a_table_names_what_is_missing_and_joins_seeds(task_table):
    from task_cells import whole_table

    cells = list(whole_table())
    pushed = [cell for cell in cells if (cell.task, cell.policy) == ("push", "mlp")]
    figures = {"successes": 10, "rollouts": 10, "train_cpu_s": 5.0, "latency_ms": 0.1, "parameters": 7, "commit": "abc"}
    figures |= {"machine": "two cores of the old one", "day": "2026-11-26"}
    text = task_table.document([(cell, figures) for cell in pushed], [cell for cell in cells if cell not in pushed])
    assert f"{10 * len(pushed)} of {10 * len(pushed)}, {len(pushed)} seeds" in text
    assert "on two cores of the old one, 2026-11-26, version abc" in text, "where it was measured, not where the page is written"
    assert "push/act (seed 0)" in text.partition("## Not measured")[2]
