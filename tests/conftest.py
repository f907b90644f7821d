# SPDX-License-Identifier: Apache-2.0
"""Settings of every test: reproducible examples, a ROS domain of its own, no skip unseen."""

import json
import os
import random
from pathlib import Path

import pytest
from hypothesis import settings

# Before numpy, torch and rclpy are imported: two cores are shared with the nodes under test.
os.environ.setdefault("OMP_NUM_THREADS", "1")
if "PYTEST_XDIST_WORKER" in os.environ:  # each process of several has a domain of its own
    os.environ["ROS_DOMAIN_ID"] = str(random.SystemRandom().randint(1, 100))
os.environ.setdefault("ROS_DOMAIN_ID", str(random.SystemRandom().randint(1, 100)))
os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")

settings.register_profile("kata", derandomize=True, deadline=None)
settings.load_profile("kata")

pytest_plugins = ("robot_fixtures", "episode_fixtures")  # tests/makers: of all packages' tests

EXPECTED_SKIPS = ("no GPU", "no shared/mocap", "no rendering", "no ROS 2 of the system", "no browser", "no npm", "no LeRobot")
"""Beginnings of the reasons for which a test may be skipped; any other skip fails the run."""

_unexpected: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note skips that nobody announced; a skip hides what was not tested."""
    if report.skipped and not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not reason.startswith(EXPECTED_SKIPS):
            _unexpected.append(f"{report.nodeid}: {reason}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run with unexpected skips."""
    if _unexpected and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the unexpected skips, and write the counts for scripts/run_tests.py."""
    if file := os.environ.get("KATA_TEST_COUNTS"):
        outcomes = ("passed", "failed", "error", "skipped")
        Path(file).write_text(json.dumps({name: len(terminalreporter.stats.get(name, ())) for name in outcomes}))
    for line in _unexpected:
        terminalreporter.write_line(f"unexpected skip: {line} (expected reasons: tests/conftest.py)", red=True)


@pytest.fixture
def ros_domain(monkeypatch: pytest.MonkeyPatch) -> int:
    """Give a test a ROS domain that no other test uses at the same time."""
    domain = random.SystemRandom().randint(1, 100)
    monkeypatch.setenv("ROS_DOMAIN_ID", str(domain))
    return domain
