# SPDX-License-Identifier: Apache-2.0
"""Nothing unsafe passes the filter: hostile commands, another seed each day (KATA_FUZZ_SEED repeats one)."""

import datetime
import importlib.util
import os
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[2] / "benchmarks/safety_fuzz.py"


@pytest.mark.slow
def test_no_violation_among_hostile_commands() -> None:
    spec = importlib.util.spec_from_file_location("safety_fuzz", FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules["safety_fuzz"] = module
    spec.loader.exec_module(module)
    seed = int(os.environ.get("KATA_FUZZ_SEED", datetime.date.today().toordinal()))
    commands = int(os.environ.get("KATA_FUZZ_COMMANDS", 20_000))
    count = module.fuzz(commands, seed)
    assert not count.violations, f"seed {seed}: {dict(count.violations)}\n" + "\n".join(count.examples)
    assert len(count.reasons) >= 15, f"seed {seed}: hardly attacked: {dict(count.reasons)}"
