# SPDX-License-Identifier: Apache-2.0
"""Faults in lockstep, to the tick: every node killed, frozen, slowed and flooded, clocks that jump, rivals, an e-stop.

The cases are in fault_cases.py. test_processes.py does some of them to processes; benchmarks/faults.py all, and makes the table.
"""

import pytest
from fault_cases import CLOCK_CASES, NODE_CASES
from lockstep_bench import LockstepBench

from kata_nodes.clocks import TIME

pytestmark = [pytest.mark.ros, pytest.mark.slow]

TICK = 4.0
DAMPED = 208.0
"""Time from the last command until the driver's joints only damp, which it waits 200 ms with [ms]."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """Return all nodes at once, for all cases."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(TIME, "lockstep")
        bench = LockstepBench(tmp_path_factory.mktemp("faults"), patch)
        yield bench
        bench.close()


@pytest.mark.parametrize("case", [*NODE_CASES, *CLOCK_CASES], ids=lambda case: case.name.replace(" ", "_"))
def test_a_fault_is_met_by_a_safe_command_within_limits_and_overcome(bench, case):
    result = bench.run(case)
    assert result.violations == [], result
    if case.reasons:
        assert result.detected <= case.within, result
        assert result.reaction <= (TICK if case in CLOCK_CASES else 0.0), (
            "the verdict that names a fault comes with a safe command"
        )
    if case.deaf:
        assert result.safe <= DAMPED, "the robot was not damped when commands ended"
    elif not case.name.startswith(("safety", "clock")):
        assert result.gap == TICK, "whatever others do, the filter decides in each tick"
