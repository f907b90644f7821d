# SPDX-License-Identifier: Apache-2.0
"""`kata launch` as a process: output, exit codes, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kata_nodes.launching import process_group

# Prints its number, then waits for a signal; what each signal does is the test's.
WAITING = """
import os, signal, sys, time
{setup}
os.write(1, b"pid %d\\n" % os.getpid())
while True:
    time.sleep(0.05)
"""
IGNORES_ALL = "signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGTERM, signal.SIG_IGN)"
OBEYS = "signal.signal(signal.SIGINT, lambda *_: (os.write(1, b'bye\\n'), sys.exit(0)))"
WITH_CHILD = (
    "import subprocess; c = subprocess.Popen(['sleep', '600']); os.write(1, b'pid %d\\n' % c.pid);"
    " signal.signal(signal.SIGINT, lambda *_: sys.exit(0))"
)
# As `kata launch`, but impatient, so that escalation takes no time.
MAIN = """
import os, sys
from pathlib import Path
from kata_nodes.launching import Runner, interpret
sys.exit(Runner(interpret(Path(sys.argv[1]), {}, os.environ).processes, patience=0.3).run())
"""


class Launched:
    """A launch in a process of its own, whose output is read line by line."""

    def __init__(self, file: Path, environment: dict[str, str]) -> None:
        # The shell's background job is how scripts start it: SIGINT is then ignored from birth.
        self.process = subprocess.Popen(
            [sys.executable, "-c", MAIN, str(file)], env=environment, stdout=subprocess.PIPE, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        )  # fmt: skip
        self.lines: list[str] = []

    def wait_for(self, words: str, times: int = 1) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            times -= words in line
            if times == 0:
                return
        raise AssertionError(f"{words!r} did not come:\n" + "\n".join(self.lines))

    def stop(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.end()

    def end(self) -> int:
        rest, _ = self.process.communicate(timeout=20)
        self.lines += rest.splitlines()
        return self.process.returncode

    def pids(self) -> list[int]:
        return [int(line.split("pid ")[1]) for line in self.lines if "] pid " in line]


@pytest.fixture
def launch(workspace: Any) -> Any:
    started: list[Launched] = []

    def start(xml: str) -> Launched:
        started.append(Launched(workspace.launch_file(xml), workspace.environment))
        return started[-1]

    yield start
    for launched in started:
        for pid in launched.pids():
            if exists(pid):
                os.kill(pid, signal.SIGKILL)
        launched.process.kill()
        launched.process.wait()


Launch = Callable[[str], Launched]


def exists(pid: int) -> bool:
    """Return whether a process runs; one that ended but was not collected yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 10
    while any(map(exists, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(exists, pids))


# A kernel without autogroups has an empty file, or none; nobody lowers its niceness without the right to.
@pytest.mark.parametrize(
    ("told", "passed_on"), [("/autogroup-7 nice -9\n", "-9"), ("/autogroup-7 nice 0\n", ""), ("", ""), (None, "")]
)
def test_precedence_is_passed_on_where_there_is_one(tmp_path: Path, monkeypatch: Any, told: str | None, passed_on: str) -> None:
    monkeypatch.setattr(process_group, "_AUTOGROUP", f"{tmp_path}/{{}}")
    if told is not None:
        (tmp_path / "self").write_text(told)
    (tmp_path / "12").touch()
    process_group.pass_precedence(12)
    assert (tmp_path / "12").read_text() == passed_on


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_stops_all_nodes(workspace: Any, launch: Launch, number: signal.Signals) -> None:
    workspace.executable("a", WAITING.format(setup=OBEYS))
    workspace.executable("b", WAITING.format(setup=OBEYS))
    launched = launch('<node pkg="toys" exec="a"/><node pkg="toys" exec="b" name="second"/>')
    launched.wait_for("] pid ", times=2)
    assert launched.stop(number) == 0
    assert {"[a] bye", "[second] bye"} <= set(launched.lines)
    assert len(launched.pids()) == 2 and gone(launched.pids())


def test_stubborn_node_is_killed_and_that_is_a_failure(workspace: Any, launch: Launch) -> None:
    workspace.executable("a", WAITING.format(setup=IGNORES_ALL))
    launched = launch('<node pkg="toys" exec="a"/>')
    launched.wait_for("] pid ")
    assert launched.stop(signal.SIGTERM) == 128 + signal.SIGKILL
    assert [line for line in launched.lines if " to a" in line] == [
        f"[launch] {s} to a" for s in ("SIGINT", "SIGTERM", "SIGKILL")
    ]
    assert gone(launched.pids())


def test_child_of_a_node_is_no_orphan(workspace: Any, launch: Launch) -> None:
    workspace.executable("a", WAITING.format(setup=WITH_CHILD))
    launched = launch('<node pkg="toys" exec="a"/>')
    launched.wait_for("] pid ", times=2)
    assert launched.stop(signal.SIGTERM) == 0
    assert len(launched.pids()) == 2 and gone(launched.pids())


def test_killed_launcher_leaves_no_node(workspace: Any, launch: Launch) -> None:
    workspace.executable("a", WAITING.format(setup=""))
    launched = launch('<node pkg="toys" exec="a"/>')
    launched.wait_for("] pid ")
    launched.process.kill()
    assert gone(launched.pids())


def test_failure_of_a_node_is_the_exit_code(workspace: Any, launch: Launch) -> None:
    workspace.executable("good", "print('no newline at the end', end='')")
    workspace.executable("bad", "raise SystemExit(7)")
    launched = launch('<node pkg="toys" exec="good"/><node pkg="toys" exec="bad"/>')
    assert launched.end() == 7
    assert "[launch] bad ended with code 7" in launched.lines
    assert "[good] no newline at the end" in launched.lines


def test_crash_of_a_node_is_the_exit_code(workspace: Any, launch: Launch) -> None:
    workspace.executable("bad", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert launch('<node pkg="toys" exec="bad"/>').end() == 128 + signal.SIGSEGV


def test_essential_node_ends_the_launch(workspace: Any, launch: Launch) -> None:
    workspace.executable("a", WAITING.format(setup=OBEYS))
    workspace.executable("short", "import time; time.sleep(0.5)")
    launched = launch('<node pkg="toys" exec="a"/><node pkg="toys" exec="short" on_exit="shutdown"/>')
    assert launched.end() == 0
    assert "[launch] short was essential: stopping all" in launched.lines
    assert gone(launched.pids())


def test_respawn(workspace: Any, launch: Launch) -> None:
    workspace.executable("a", "print('here', flush=True); raise SystemExit(1)")
    launched = launch('<node pkg="toys" exec="a" respawn="true" respawn_delay="0.01"/>')
    launched.wait_for("[a] here", times=3)
    assert launched.stop(signal.SIGINT) == 0


def test_what_cannot_start_stops_the_others(workspace: Any, launch: Launch) -> None:
    workspace.executable("a", WAITING.format(setup=""))
    launched = launch('<node pkg="toys" exec="a"/><executable cmd="/no/such/program"/>')
    assert launched.end() != 0
    assert "[launch] SIGINT to a" in launched.lines


def test_closed_output_stops_all(workspace: Any, launch: Launch) -> None:
    workspace.executable("a", WAITING.format(setup="").replace("time.sleep(0.05)", "time.sleep(0.05); print('tick', flush=True)"))
    launched = launch('<node pkg="toys" exec="a"/>')
    launched.wait_for("tick")
    assert launched.process.stdout
    launched.process.stdout.close()
    launched.process.wait(timeout=20)
    assert gone(launched.pids())


def test_command_refuses_with_one_line(workspace: Any) -> None:
    file = workspace.launch_file('<arg name="x" default="1" description="How many"/>\n<bag/>')
    command = [sys.executable, "-m", "kata", "launch", str(file)]
    ended = subprocess.run([*command, "y:=1"], env=workspace.environment, capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1 and "test.launch.xml:3: <bag> is not supported" in ended.stderr


def test_command_shows_arguments(workspace: Any) -> None:
    file = workspace.launch_file('<arg name="x" default="1" description="How many"/>')
    command = [sys.executable, "-m", "kata", "launch", str(file), "--show-args"]
    ended = subprocess.run(command, env=workspace.environment, capture_output=True, text=True)
    assert ended.returncode == 0
    assert "x:=  How many [default 1]" in ended.stdout
