# SPDX-License-Identifier: Apache-2.0
"""Run all tests and say in one place how many there were: `make test` runs this.

Tests that start no ROS nodes run in several processes, whole files at a time; those with ROS graphs run alone, one after another,
since some are live: they need the processor when they need it, and go first where the machine lets them (root does).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

COUNTS = "KATA_TEST_COUNTS"
"""Environment variable: the file to which tests/conftest.py writes how many tests had which outcome."""

MOST_PROCESSES = 4
"""More would need more memory than a build machine has: each holds torch and a robot."""

RUNS = {
    "without ROS": ("-m", "not ros and not live", "-n", str(min(MOST_PROCESSES, os.cpu_count() or 1)), "--dist", "loadfile"),
    "ROS graphs": ("-m", "ros and not live"),
}

_PRECEDENCE = -10
"""Niceness of the live graphs: a robot's computer would not let other work come before them either."""


def main() -> int:
    """Run the tests; 1 if one failed, was skipped unexpectedly, or if there were none."""
    total: Counter[str] = Counter()
    failed = False
    lines = []
    for name, options in RUNS.items():
        start = time.monotonic()
        if name == "ROS graphs":
            take_precedence()
        code, counts = run([*options, *sys.argv[1:]])
        minutes = (time.monotonic() - start) / 60
        failed |= code != 0 or not counts["passed"]
        total += counts
        lines.append(f"  {name:<16} {told(counts)}, {minutes:.1f} min{'' if code == 0 else f' (pytest ended with {code})'}")
    verdict = "FAILED" if failed else "passed"
    print(f"\ntests {verdict}: {told(total)}", *lines, sep="\n")
    return int(failed)


def take_precedence() -> None:
    """Let what is started from now on go before other work, where that is allowed."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, min(_PRECEDENCE, os.getpriority(os.PRIO_PROCESS, 0)))
        # Where sessions share the processor evenly (autogroups), niceness counts within one alone; tests pass this on to theirs.
        Path("/proc/self/autogroup").write_text(f"{_PRECEDENCE}")


def run(options: Sequence[str]) -> tuple[int, Counter[str]]:
    """Run pytest once; return its exit code, and the number of tests by outcome."""
    with tempfile.TemporaryDirectory(prefix="kata-tests-") as folder:
        file = Path(folder) / "counts.json"
        command = [sys.executable, "-m", "pytest", "-q", "-rs", "--durations=8", *options]
        code = subprocess.run(command, env={**os.environ, COUNTS: str(file)}, check=False).returncode
        return code, Counter(json.loads(file.read_text())) if file.exists() else Counter()


def told(counts: Counter[str]) -> str:
    """Return counts in words."""
    words = {"passed": "passed", "failed": "failed", "skipped": "skipped", "error": "errors"}
    always = ("passed", "failed", "skipped")
    return ", ".join(f"{counts[name]} {word}" for name, word in words.items() if counts[name] or name in always)


if __name__ == "__main__":
    raise SystemExit(main())
