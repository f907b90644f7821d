# SPDX-License-Identifier: Apache-2.0
"""Make the workspace usable: `make setup` runs this; a second run with nothing changed only compares stamps."""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from debian import provide
from mend_wheels import mend_wheels

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin/python"
_FOREIGN = ("_ROS_WHEELS_BOOTSTRAP_COMPLETE", "LD_LIBRARY_PATH", "PYTHONPATH")  # of another environment, if any
STAMPS = VENV / "kata-stamps.json"
ROS = VENV / "ros"  # which ROS 2, for scripts/env.sh
SYSTEM_PYTHON = Path("/usr/bin/python3")
PACKAGES = (
    "kata_model",
    "kata",
    "kata_safety",
    "kata_retarget",
    "kata_policy",
    "kata_data",
    "kata_teleop",
    "kata_sim",
    "kata_learning",
    "kata_report",
    "kata_nodes",
)
WITH_KERNELS = ("kata_model", "kata_safety", "kata_retarget")
DISTROS = ("jazzy", "kilted")


def main() -> None:
    """Run the steps whose inputs changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--distro", choices=DISTROS, default="jazzy", help="ROS 2 wheels for a machine without /opt/ros")
    arguments = parser.parse_args()
    start = time.monotonic()
    system = _system_ros()
    if system and Path(sys.executable).resolve() != SYSTEM_PYTHON.resolve():
        # An installed ROS 2 is built for the system's Python, whatever Python `make` found.
        os.execv(SYSTEM_PYTHON, [str(SYSTEM_PYTHON), *sys.argv])
    if not (3, 11) <= sys.version_info[:2] <= (3, 12):
        sys.exit(f"setup: Python {sys.version.split()[0]} (use 3.11 or 3.12: make setup PYTHON=python3.11)")
    provide()
    make_environment(system or arguments.distro)
    install(system, arguments.distro)
    build()
    compile_kernels()
    print(
        f"setup: ready in {time.monotonic() - start:.1f} s ({system or arguments.distro + ' wheels'}); next: make demo",
        flush=True,
    )


def _system_ros() -> str:
    """Return the path of an installed ROS 2, the sourced one first, or an empty string; KATA_BARE=1 ignores it."""
    names = sorted(DISTROS, key=lambda distro: distro != os.environ.get("ROS_DISTRO"))
    found = [f"/opt/ros/{distro}" for distro in names if Path(f"/opt/ros/{distro}/setup.bash").is_file()]
    return "" if os.environ.get("KATA_BARE") or not found else found[0]


def make_environment(ros: str) -> None:
    """Create .venv, or check that the one there fits.

    Args:
        ros: Path of an installed ROS 2, whose Python packages .venv then sees, or name of a distribution of wheels.
    """
    if PYTHON.exists():
        if ROS.is_file() and ROS.read_text() != ros:
            sys.exit(f"setup: .venv was made for {ROS.read_text()}, not {ros} (make clean, then make setup)")
    else:
        extra = ["--system-site-packages"] if ros.startswith("/") else []
        _run([sys.executable, "-m", "venv", "--clear", *extra, str(VENV)], "creating .venv")
    ROS.write_text(ros)


def install(system: str, distro: str) -> None:
    """Install the pinned requirements and mend the wheels."""
    names = ["build", "runtime", "learning", "dev"] + ([] if system else [f"ros-{distro}"])
    files = [ROOT / f"requirements/{name}.txt" for name in names]
    constraints = [
        ROOT / f"requirements/{name}.txt" for name in ("constraints", *(["constraints-jazzy"] if distro == "jazzy" else []))
    ]
    digest = _digest([*files, *constraints], extra=[system, sys.version])
    if _stamp("install") == digest:
        return
    requirements = [argument for file in files for argument in ("-r", str(file))]
    requirements += [argument for file in constraints for argument in ("-c", str(file))]
    _run([str(PYTHON), "-m", "pip", "install", "-q", *requirements], "installing pinned requirements (minutes the first time)")
    if not system:
        print(f"setup: mended {mend_wheels(VENV)} CMake files of the ROS wheels", flush=True)
        (VENV / "local_setup.sh").touch()  # colcon warns of a prefix without one
    _run([str(PYTHON), "-m", "pip", "check"], "checking that versions agree", allow_failure=True)
    _set_stamp("install", digest)


def build() -> None:
    """Build with colcon, install the Python packages editable, write the `kata` command."""
    made = (ROOT / "install/local_setup.bash").is_file() and (VENV / "bin/kata").is_file()
    sources, links = _digest(_build_inputs(), extra=[_stamp("install")]), _digest([], extra=_installed_files())
    if made and _stamp("build") == sources:
        if _stamp("links") != links:
            _colcon("linking new launch files and configuration", "--packages-select kata_bringup")
            _set_stamp("links", links)
        return
    _colcon("building the workspace with colcon")
    editable = [argument for package in PACKAGES for argument in ("-e", f"src/{package}")]
    options = ["-q", "--no-deps", "--no-build-isolation", "--use-pep517", "--config-settings", "editable_mode=compat"]
    _run([str(PYTHON), "-m", "pip", "install", *options, *editable], "installing the Python packages editable")
    wrapper = VENV / "bin/kata"
    wrapper.write_text(f'#!/bin/bash\n# Written by `make setup`.\n. "{ROOT}/scripts/env.sh"\nexec "{PYTHON}" -m kata "$@"\n')
    wrapper.chmod(0o755)
    _set_stamp("build", sources)
    _set_stamp("links", links)


def compile_kernels() -> None:
    """Compile the kernels of retargeting and safety, so that no node has to while a person waits."""
    paths = [file for name in WITH_KERNELS for file in (ROOT / "src" / name / name).rglob("*.py")]
    sources = [path for path in paths if "@kernel" in (text := path.read_text()) or "(NamedTuple)" in text]
    digest = _digest(sources, extra=[_stamp("install"), os.environ.get("XDG_CACHE_HOME", str(Path.home()))])
    if _stamp("kernels") == digest:
        return
    code = (
        "import kata_retarget, kata_safety; from kata_model import load_robot; robot = load_robot('g1'); "
        "kata_retarget.compile_all(robot); kata_safety.SafetyFilter(robot, kata_safety.SafetyConfig())"
    )
    # Numba keeps machine code by the path that a module is imported from, so it must be the path that users import.
    _run(
        ["bash", "-c", f'. scripts/env.sh && python -c "{code}"'], "compiling the kernels of retargeting and safety (two minutes)"
    )
    _set_stamp("kernels", digest)


def _colcon(what: str, selection: str = "") -> None:
    options = f"--base-paths src --symlink-install {selection} --event-handlers console_cohesion- summary+"
    _run(["bash", "-c", f". scripts/env.sh && {PYTHON} -m colcon --log-base log build {options}"], what)


def _build_inputs() -> list[Path]:
    """Return the files whose contents decide what colcon and pip make; Python modules are only linked."""
    patterns = ("*/package.xml", "*/setup.py", "*/setup.cfg", "*/CMakeLists.txt", "kata_msgs/*/*")
    return [Path(__file__), *(f for p in patterns for f in (ROOT / "src").glob(p))]


def _installed_files() -> list[str]:
    """Return the names of files that kata_bringup links one by one, so that a new one asks for a build."""
    return [str(f) for top in ("launch", "config", "urdf") for f in sorted((ROOT / top).rglob("*")) if f.is_file()]


def _digest(files: Iterable[Path], extra: Sequence[str] = ()) -> str:
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(str(file).encode() + b"\0" + file.read_bytes() + b"\0")
    for text in extra:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()


def _stamp(step: str) -> str:
    stamps: dict[str, str] = json.loads(STAMPS.read_text()) if STAMPS.is_file() else {}
    return stamps.get(step, "")


def _set_stamp(step: str, digest: str) -> None:
    stamps = json.loads(STAMPS.read_text()) if STAMPS.is_file() else {}
    STAMPS.write_text(json.dumps({**stamps, step: digest}))


def _run(command: Sequence[str], what: str, *, allow_failure: bool = False) -> None:
    """Run one step; its failure ends setup with one line after its own output."""
    print(f"setup: {what}", flush=True)
    environment = {
        k: v for k, v in os.environ.items() if k not in ("_ROS_WHEELS_BOOTSTRAP_COMPLETE", "LD_LIBRARY_PATH", "PYTHONPATH")
    }
    code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    if code and not allow_failure:
        sys.exit(f"setup: {what} failed with code {code} (its output is above)")


if __name__ == "__main__":
    main()
