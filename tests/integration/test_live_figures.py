# SPDX-License-Identifier: Apache-2.0
"""Long figures in real time, as README.md states them; `make live` runs these, on a machine that does nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.ros, pytest.mark.slow, pytest.mark.live]

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("safety.py", {"latency_p50_ms": 3.0, "latency_p99_ms": 12.0, "jitter_p99_ms": 2.0, "tick_p99_ms": 0.6}),
        ("latency.py", {"latency_p50_ms": 12.0, "latency_p99_ms": 30.0}),
        ("teleop.py", {"latency_p50_ms": 15.0, "latency_p99_ms": 30.0}),
        ("recorder.py", {"lost": 0.0, "said_lost": 0.0, "silent_topics": 0.0, "lag_p99_ms": 20.0}),
    ],
)
def test_figures_are_twice_the_readmes_at_most(name, most, tmp_path, ros_domain, report):
    file = tmp_path / "figures.json"
    command = [sys.executable, BENCHMARKS / name, "--seconds", "60", "--json", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(file.read_text())
    report(f"{name}: { {key: round(found[key], 2) for key in most} }")
    assert all(found[key] <= bound for key, bound in most.items()), found
