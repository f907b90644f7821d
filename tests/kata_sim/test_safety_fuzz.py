# SPDX-License-Identifier: Apache-2.0
"""Nothing unsafe passes the filter: hostile commands and lying sensors, the base held and free, from a fixed seed.

KATA_FUZZ_SEED and KATA_FUZZ_COMMANDS try others; `make live` does so with the day's number.
"""

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
SEED = int(os.environ.get("KATA_FUZZ_SEED", 20261201))
COMMANDS = int(os.environ.get("KATA_FUZZ_COMMANDS", 6_000))


@pytest.fixture(scope="module")
def fuzzer() -> ModuleType:
    sys.path.insert(0, str(BENCHMARKS))
    try:
        return importlib.import_module("safety_fuzz")
    finally:
        sys.path.remove(str(BENCHMARKS))


@pytest.mark.slow
@pytest.mark.parametrize(("base", "share"), [("fixed", 1.0), ("floating", 0.25)])
def test_no_violation_among_hostile_commands(fuzzer: ModuleType, base: str, share: float) -> None:
    count = fuzzer.fuzz(round(share * COMMANDS), SEED, base=base)
    assert not count.violations, f"seed {SEED}: {dict(count.violations)}\n" + "\n".join(count.examples)
    assert len(count.reasons) >= 15, f"seed {SEED}: hardly attacked: {dict(count.reasons)}"


def test_a_chunk_is_the_same_alone_and_after_others(fuzzer: ModuleType) -> None:
    fuzzer.fuzz_chunk(300, 3, 0)
    after = fuzzer.fuzz_chunk(400, 3, 1)
    fuzzer.bench.cache_clear()
    alone = fuzzer.fuzz_chunk(400, 3, 1)
    assert (alone.reasons, alone.statuses, alone.deepest) == (after.reasons, after.statuses, after.deepest)
