# SPDX-License-Identifier: Apache-2.0
"""The solver of quadratic programs: it never has less room than constraints, and room changes no solution."""

from typing import Any

import numpy as np
import pytest

from kata_model.arrays import FloatArray
from kata_safety.qp import quadratic_program
from kata_safety.qp.quadratic_program import EQUAL, SOFT, UNBOUNDED, Program, empty_program, solve

_IMMUTABLE = 4


def filled(rng: np.random.Generator, unknowns: int, rows: int, marks: list[int]) -> Program:
    """Return a program whose rows hardly differ: all of them could be active at once."""
    program = empty_program(unknowns, rows)
    program.low[:unknowns], program.high[:unknowns] = -1.0, 1.0
    program.rows[:rows] = rng.normal(size=(1, unknowns)) + rng.normal(0.0, 1e-11, (rows, unknowns))
    program.low[unknowns : unknowns + rows], program.high[unknowns : unknowns + rows] = -UNBOUNDED, 0.1
    program.sense[unknowns : unknowns + rows] = rng.choice(marks, rows)
    program.slope[:] = -5.0 * rng.uniform(size=unknowns) * np.sign(program.rows[0])
    return program


@pytest.mark.parametrize("rows", [1, 2, 40])
def test_there_is_room_for_all_constraints_to_be_active(monkeypatch: Any, rows: int) -> None:
    rng, seen = np.random.default_rng(rows), []
    real = quadratic_program.daqp.solve

    def spy(
        hessian: FloatArray, slope: FloatArray, a: FloatArray, high: FloatArray, low: FloatArray, sense: Any, **more: Any
    ) -> Any:
        seen.append((len(slope) + int(((sense & SOFT) != 0).sum()) + 1, int(((sense & _IMMUTABLE) == 0).sum())))
        return real(hessian, slope, a, high, low, sense, **more)

    monkeypatch.setattr(quadratic_program.daqp, "solve", spy)
    for marks in ([0], [SOFT], [0, SOFT]):
        assert solve(filled(rng, 6, rows, marks), np.eye(6), rows) is not None
    assert len(seen) == 3
    assert all(room >= active for room, active in seen)


def test_rows_that_repeat_each_other_are_kept() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        program = filled(rng, 12, 60, [0])
        found = solve(program, np.eye(12), 60)
        assert found is not None
        assert (program.rows[:60] @ found <= 0.1 + 1e-6).all() and (np.abs(found) <= 1.0 + 1e-6).all()
        assert program.rows[0] @ found == pytest.approx(0.1, abs=1e-5), "as far as the rows allow"


def test_what_was_used_before_does_not_act() -> None:
    program = empty_program(2, 2)
    program.low[:2], program.high[:2], program.slope[:] = -1.0, 1.0, -2.0
    program.rows[:2], program.low[2:4], program.high[2:4], program.sense[2:4] = np.eye(2), 0.5, 0.5, EQUAL
    assert solve(program, np.eye(2), 2) == pytest.approx([0.5, 0.5])
    assert solve(program, np.eye(2), 1) == pytest.approx([0.5, 1.0])
    assert solve(program, np.eye(2), 0) == pytest.approx([1.0, 1.0])


def test_a_contradiction_is_none() -> None:
    program = empty_program(2, 1)
    program.low[:2], program.high[:2] = -1.0, 1.0
    program.rows[0], program.low[2], program.high[2] = 1.0, 5.0, UNBOUNDED
    assert solve(program, np.eye(2), 1) is None
