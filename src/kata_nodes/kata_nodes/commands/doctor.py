# SPDX-License-Identifier: Apache-2.0
"""Say what of ROS 2, middleware, rendering and hardware is found, and how to mend what is not.

Exit code 0 when all that Kata needs is there, 1 otherwise.
"""

import argparse
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from kata_model.errors import KataError

__all__ = ["Finding", "add_arguments", "clock_finding", "run"]

_SETUP = "run `make setup`, then start `kata` from .venv/bin or source scripts/env.sh"

_CHRONY = "give all machines one time server in chrony.conf, then `chronyc makestep`"

_CLOCK_ERROR = 0.010
"""Error up to which clocks of several machines count as one [s]: docs/connect.md."""

# In a process of its own, because a broken OpenGL driver can end it.
_RENDERING = """
import time
from kata_model import load_robot
from kata_sim import HEAD_CAMERA, Renderer, SimConfig, Simulation
simulation = Simulation(load_robot("g1"), SimConfig())
renderer = Renderer(simulation.model, 320, 240)
times = []
for _ in range(20):
    start = time.perf_counter()
    renderer.render(simulation.data, HEAD_CAMERA)
    times.append(time.perf_counter() - start)
renderer.close()
print(f"320x240 in {sorted(times)[10] * 1e3:.1f} ms")
"""


class Finding(NamedTuple):
    """What was found of one thing, and what to do where it is not well (empty: it is)."""

    text: str
    fix: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare no arguments: the doctor looks at everything."""


def run(args: argparse.Namespace) -> int:
    """Print one line for each check."""
    checks: dict[str, Callable[[], Finding]] = {
        "Python": _python,
        "ROS 2": _ros,
        "launcher": _launcher,
        "messages": _messages,
        "Fast DDS profile": _profile,
        "network": _network,
        "clock": _clock,
        "shared memory": _shared_memory,
        "robot": _robot,
        "rendering": _rendering,
        "cores": _cores,
        "GPU": _gpu,
    }
    findings = {name: check() for name, check in checks.items()}
    for name, finding in findings.items():
        print(f"{'MEND' if finding.fix else 'ok':<5} {name:<17} {finding.text}{f' → {finding.fix}' if finding.fix else ''}")
    ill = [name for name, finding in findings.items() if finding.fix]
    print(f"\n{len(ill)} to mend: {', '.join(ill)}" if ill else "\nall that Kata needs is there")
    return 1 if ill else 0


def _python() -> Finding:
    version = sys.version.split()[0]
    return Finding(
        f"{version}, {sys.executable}", "" if sys.version_info[:2] in ((3, 11), (3, 12)) else "use Python 3.11 or 3.12"
    )


def _ros() -> Finding:
    try:
        origin = importlib.import_module("rclpy").__file__ or ""
    except ImportError as error:
        return Finding(f"rclpy cannot be imported: {error}", _SETUP)
    kind = "installed system-wide" if origin.startswith("/opt/ros") else "PyPI's wheels"
    return Finding(f"{os.environ.get('ROS_DISTRO', 'unknown distribution')}, {kind}")


def _launcher() -> Finding:
    found = shutil.which("ros2")
    return Finding(f"ros2 launch ({found})" if found else "kata launch (no ros2 here: the stand-in runs the same files)")


def _messages() -> Finding:
    try:
        module = importlib.import_module("kata_msgs.msg")
    except ImportError as error:
        return Finding(f"kata_msgs cannot be imported: {error}", _SETUP)
    return Finding(f"kata_msgs in {Path(module.__file__ or '').parents[1]}")


def _profile() -> Finding:
    middleware = os.environ.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp")
    if middleware != "rmw_fastrtps_cpp":
        return Finding(f"not used by {middleware}")
    name = f"FAST{'RTPS' if os.environ.get('ROS_DISTRO') == 'jazzy' else 'DDS'}_DEFAULT_PROFILES_FILE"
    file = os.environ.get(name, "")
    if not Path(file).is_file():
        return Finding(f"{name} is {file!r}", "source scripts/env.sh; without it nodes find each other late and lose pictures")
    return Finding(file)


def _network() -> Finding:
    reach = os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
    return Finding(f"ROS_DOMAIN_ID {os.environ.get('ROS_DOMAIN_ID', '0')}, discovery {reach}")


def _clock() -> Finding:
    """Return what chrony says of this machine's clock; stamps of several machines are compared as they are."""
    program = shutil.which("chronyc")
    if program is None:
        return Finding("not kept by chrony (needed where several machines take part)")
    try:
        ended = subprocess.run([program, "-c", "tracking"], capture_output=True, text=True, timeout=5, check=False)
    except subprocess.TimeoutExpired:
        return Finding("chronyc does not answer (needed where several machines take part)")
    return clock_finding(ended.stdout if ended.returncode == 0 else "")


def clock_finding(report: str) -> Finding:
    """Judge what ``chronyc -c tracking`` says; empty if it says nothing.

    Its fields 4, 10, 11 and 13 are the clock's offset, root delay, root dispersion [s] and the leap status; the error is
    |offset| + dispersion + delay / 2 at most (chronyc(1), tracking).
    """
    fields = report.strip().split(",")
    if len(fields) < 14 or fields[13] == "Not synchronised":
        return Finding("chrony has no reference (needed where several machines take part)")
    offset, delay, dispersion = abs(float(fields[4])), float(fields[10]), float(fields[11])
    error = offset + dispersion + 0.5 * delay
    text = f"off by {1e3 * offset:.2f} ms, {1e3 * error:.2f} ms at most, against {fields[1] or fields[0]} (chrony)"
    return Finding(text, "" if error <= _CLOCK_ERROR else _CHRONY)


def _shared_memory() -> Finding:
    # One segment of 32 MB for each of nine nodes; they are sparse, so half of it does.
    free = shutil.disk_usage("/dev/shm").free / 1e6
    return Finding(f"{free:.0f} MB free in /dev/shm", "" if free >= 150 else "give it 256 MB (docker run --shm-size=256m)")


def _robot() -> Finding:
    from kata_model import load_robot

    try:
        robot = load_robot("g1")
    except KataError as error:
        return Finding(str(error), error.fix or "make setup")
    return Finding(f"g1, {len(robot.layout)} joints, {robot.description.urdf}")


def _rendering() -> Finding:
    fix = "apt-get install libegl1 libegl-mesa0 libgl1 libgl1-mesa-dri, and leave MUJOCO_GL=egl"
    try:
        ended = subprocess.run([sys.executable, "-c", _RENDERING], capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return Finding("no picture within 60 s", fix)
    if ended.returncode:
        last = (ended.stderr.strip().splitlines() or [f"ended with code {ended.returncode}"])[-1]
        return Finding(last, fix)
    return Finding(f"{ended.stdout.strip()} (MUJOCO_GL={os.environ.get('MUJOCO_GL', 'unset')})")


def _cores() -> Finding:
    cores = len(os.sched_getaffinity(0))
    return Finding(f"{cores}", "" if cores >= 2 else "use 2 cores or more: the graph does not keep time on one")


def _gpu() -> Finding:
    program = shutil.which("nvidia-smi")
    if program is None:
        return Finding("none (not needed)")
    command = [program, "--query-gpu=name", "--format=csv,noheader"]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return Finding("nvidia-smi does not answer (not needed)")
    return Finding(ended.stdout.strip().replace("\n", ", ") or "none that answers (not needed)")
