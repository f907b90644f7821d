# SPDX-License-Identifier: Apache-2.0
"""Each bag that is to be graded gets a grade or the reason why not, whatever the process that grades does."""

import sys
from time import monotonic

import pytest

from kata_nodes.recorder import grader as module
from kata_nodes.recorder.grader import Grade, Grader

ANSWERS = """
import json, sys
for line in sys.stdin:
    print(json.dumps({"path": line.strip(), "grade": "B", "reasons": ["short"]}), flush=True)
"""
DIES = "import sys; sys.stdin.readline(); sys.exit(%d)"
BABBLES = """
import sys
for line in sys.stdin:
    print(%r, flush=True)
"""
HANGS = "import sys, time; sys.stdin.readline(); sys.stdin.read()"


class Time:
    """Steady time that the test sets [ns]."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


def grades(grader: Grader, count: int) -> list[Grade]:
    """Wait for grades."""
    found, end = grader.look(), monotonic() + 30.0
    while len(found) < count and monotonic() < end:
        found += grader.look()
    return found


@pytest.fixture
def made(request):
    """Return a maker of graders that run a program, and end with the test."""

    def make(program, **options):
        grader = Grader(options.pop("now", Time()), command=(sys.executable, "-c", program), **options)
        request.addfinalizer(grader.close)
        return grader

    return make


def test_grades_come_in_the_order_of_the_questions(made):
    grader = made(ANSWERS)
    for path in ("a", "b", "c"):
        grader.ask(path)
    assert grades(grader, 3) == [Grade(path, "B", ("short",)) for path in ("a", "b", "c")]
    assert grader.look() == []


@pytest.mark.parametrize("code", [0, 3])
def test_a_process_that_ends_is_said_for_all_that_wait_and_started_anew(made, code):
    grader = made(DIES % code)
    for _ in range(2):
        grader.ask("a")
        grader.ask("b")
        reason = f"not graded: kata bag stream ended with code {code}"
        assert grades(grader, 2) == [Grade(path, "", (reason,)) for path in ("a", "b")]


@pytest.mark.parametrize("said", ["nonsense", "[]", "{}", '{"path": "else", "grade": "A", "reasons": []}', "\udcff"])
def test_nonsense_is_said_and_the_next_is_asked(made, said):
    grader = made(BABBLES % said if said.isascii() else "import sys; sys.stdout.buffer.write(b'\\xff\\n')")
    grader.ask("a")
    (grade,) = grades(grader, 1)
    assert (grade.path, grade.letter) == ("a", "")
    assert "kata bag stream said" in grade.reasons[0]


def test_a_process_that_hangs_is_ended_and_said(made):
    time = Time()
    grader = made(HANGS, now=time)
    grader.ask("a")
    assert grader.look() == []
    time.now = int(301e9)
    assert grader.look() == [Grade("a", "", ("not graded: no answer in 300 s",))]


def test_in_lockstep_a_grade_is_told_at_its_time_however_long_it_took(made, monkeypatch):
    time = Time()
    grader = made(ANSWERS, now=time, lockstep=True)
    grader.ask("a")
    time.now = int(1e9)
    grader.ask("b")
    told = []
    for tick in range(0, 4_000_000_000, 250_000_000):
        time.now = tick
        told += [(tick, grade.path) for grade in grader.look()]
    assert told == [(2_000_000_000, "a"), (3_000_000_000, "b")]
    monkeypatch.setattr(module, "_PATIENCE", 0.01)
    hanging = made(HANGS, now=time, lockstep=True)
    hanging.ask("c")
    time.now += 2_000_000_000
    assert "no answer" in hanging.look()[0].reasons[0]
