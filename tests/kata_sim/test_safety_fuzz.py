# SPDX-License-Identifier: Apache-2.0
"""Nothing unsafe passes the filter: hostile commands, another seed each day (KATA_FUZZ_SEED repeats one)."""

import datetime
import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def fuzzer() -> ModuleType:
    sys.path.insert(0, str(BENCHMARKS))
    try:
        return importlib.import_module("safety_fuzz")
    finally:
        sys.path.remove(str(BENCHMARKS))


@pytest.mark.slow
def test_no_violation_among_hostile_commands(fuzzer: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    seed = int(os.environ.get("KATA_FUZZ_SEED", datetime.date.today().toordinal()))
    commands = int(os.environ.get("KATA_FUZZ_COMMANDS", 20_000))
    with capsys.disabled():
        sys.stdout.write(f"\nhostile commands: {commands} with seed {seed} (KATA_FUZZ_SEED={seed} repeats them)\n")
    count = fuzzer.fuzz(commands, seed)
    assert not count.violations, f"seed {seed}: {dict(count.violations)}\n" + "\n".join(count.examples)
    assert len(count.reasons) >= 15, f"seed {seed}: hardly attacked: {dict(count.reasons)}"


@pytest.mark.slow
def test_a_chunk_is_the_same_alone_and_after_others(fuzzer: ModuleType) -> None:
    fuzzer.fuzz_chunk(300, 3, 0)
    after = fuzzer.fuzz_chunk(400, 3, 1)
    fuzzer.bench.cache_clear()
    alone = fuzzer.fuzz_chunk(400, 3, 1)
    assert (alone.reasons, alone.statuses, alone.deepest) == (after.reasons, after.statuses, after.deepest)
