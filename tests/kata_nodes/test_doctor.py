# SPDX-License-Identifier: Apache-2.0
"""`kata doctor` names what is missing and how to mend it."""

import os
import subprocess
import sys

import pytest

from kata_nodes.commands import doctor as doctor_command

pytestmark = pytest.mark.slow


def doctor(**environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kata", "doctor"]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False)


def test_all_is_well_here() -> None:
    ended = doctor()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "all that Kata needs is there" in ended.stdout
    assert "g1, 29 joints" in ended.stdout


def test_a_tool_that_hangs_does_not_hold_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(command: list[str], **options: object) -> None:
        raise subprocess.TimeoutExpired(command, options["timeout"])

    monkeypatch.setattr(doctor_command.shutil, "which", lambda _: "nvidia-smi")
    monkeypatch.setattr(doctor_command.subprocess, "run", hang)
    assert "does not answer" in str(doctor_command._gpu())
    assert "no picture" in str(doctor_command._rendering())


def test_what_is_missing_has_a_remedy() -> None:
    ended = doctor(FASTRTPS_DEFAULT_PROFILES_FILE="/no/such.xml", FASTDDS_DEFAULT_PROFILES_FILE="/no/such.xml")
    assert ended.returncode == 1
    (line,) = [line for line in ended.stdout.splitlines() if line.startswith("MEND")]
    assert "/no/such.xml" in line and "→ source scripts/env.sh" in line


TRACKING = "C0A80001,robot.lan,3,1764561600.123,{offset},0.000010,0.000020,-3.1,0.002,0.05,{delay},{dispersion},64.2,{leap}\n"


@pytest.mark.parametrize(
    ("offset", "delay", "dispersion", "leap", "says", "well"),
    [
        ("-0.000120", "0.0008", "0.0003", "Normal", "off by 0.12 ms, 0.82 ms at most, against robot.lan", True),
        ("0.0021", "0.004", "0.0061", "Normal", "off by 2.10 ms, 10.20 ms at most", False),
        ("0.0", "0.0", "0.0", "Not synchronised", "no reference", True),
    ],
)
def test_chronys_word_on_the_clock_is_passed_on(offset, delay, dispersion, leap, says, well) -> None:
    report = TRACKING.format(offset=offset, delay=delay, dispersion=dispersion, leap=leap)
    finding = doctor_command.clock_finding(report)
    assert says in finding.text
    assert (finding.fix == "") is well


def test_a_chrony_that_does_not_run_has_no_reference() -> None:
    assert "no reference" in doctor_command.clock_finding("").text
