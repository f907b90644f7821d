# SPDX-License-Identifier: Apache-2.0
"""Find what Debian or Ubuntu must provide before anything can be built; run by itself, what the browser tests need.

Nobody's machine is changed unasked: what is missing is named, with what for, and installed only where that was allowed.
"""

import ctypes.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

__all__ = ["PURPOSES", "in_container", "may_install", "missing_packages", "provide", "provide_browser"]

_DRI = ("/usr/lib/x86_64-linux-gnu/dri", "/usr/lib/aarch64-linux-gnu/dri", "/usr/lib64/dri", "/usr/lib/dri")
_CONTAINERS = (Path("/.dockerenv"), Path("/run/.containerenv"))
"""Files by which Docker and Podman let a container know."""

PURPOSES: Mapping[str, str] = {
    "python3-venv": "makes the virtual environment",
    "python3-dev": "builds ROS messages for Python",
    "g++": "compiles ROS messages",
    "cmake": "builds ROS packages",
    "make": "builds ROS packages",
    "libegl1": "renders the cameras of the simulator",
    "libegl-mesa0": "renders without a screen",
    "libgl1": "renders the cameras of the simulator",
    "libgl1-mesa-dri": "renders without a GPU",
    "chromium": "tests the operator's pages, 300 MB",
}
"""What each package is for."""


def missing_packages() -> list[str]:
    """Return the names of Debian packages that are needed and absent, judged by what they provide."""
    present = {
        "python3-venv": find_spec("ensurepip") is not None and find_spec("venv") is not None,
        "python3-dev": (Path(sysconfig.get_paths()["include"]) / "Python.h").is_file(),
        "g++": shutil.which("g++") is not None,
        "cmake": shutil.which("cmake") is not None,
        "make": shutil.which("make") is not None,
        "libegl1": ctypes.util.find_library("EGL") is not None,
        "libegl-mesa0": ctypes.util.find_library("EGL_mesa") is not None,
        "libgl1": ctypes.util.find_library("GL") is not None,
        "libgl1-mesa-dri": any(Path(folder).is_dir() for folder in _DRI),
    }
    return [name for name, there in present.items() if not there]


def in_container(environment: Mapping[str, str], files: Sequence[Path] = _CONTAINERS) -> bool:
    """Return whether this machine is a container, which is somebody's to fill."""
    return bool(environment.get("container")) or any(file.exists() for file in files)


def may_install(environment: Mapping[str, str], *, root: bool, container: bool) -> bool:
    """Return whether packages may be installed: as root where asked for (KATA_APT=yes; no: never), in CI, or in a container."""
    word = environment.get("KATA_APT", "").lower()
    return root and word != "no" and (word == "yes" or environment.get("CI", "").lower() == "true" or container)


def provide() -> None:
    """Install what is missing where that is allowed, else end with one line that names the command."""
    missing = missing_packages()
    if not missing:
        return
    if not _allowed():
        sys.exit(f"setup: missing system packages: {_told(missing)} ({_how(missing, 'make setup')})")
    _install(missing)
    still = missing_packages()
    if still:
        sys.exit(f"setup: still missing after apt-get: {' '.join(still)} (run: {_command(still)}, and read what it says)")


def provide_browser() -> None:
    """Install Chromium for the tests of the operator's pages where that is allowed; else say how: all else can be tested."""
    if shutil.which("chromium") or shutil.which("chromium-browser"):
        return
    if _allowed():
        _install(["chromium"])
    else:
        print(f"setup: the operator's pages are not tested, for want of chromium ({_how(['chromium'], 'make test')})", flush=True)


def _allowed() -> bool:
    container = in_container(os.environ)
    return shutil.which("apt-get") is not None and may_install(os.environ, root=os.geteuid() == 0, container=container)


def _command(packages: Sequence[str]) -> str:
    return f"apt-get install -y {' '.join(packages)}"


def _told(packages: Sequence[str]) -> str:
    return ", ".join(f"{name} ({PURPOSES[name]})" for name in packages)


def _how(packages: Sequence[str], target: str) -> str:
    return f"run: sudo {_command(packages)}; or, as root, KATA_APT=yes {target}"


def _install(packages: Sequence[str]) -> None:
    print(f"setup: installs by apt-get: {_told(packages)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], check=False, env=environment)
    command = [*_command(packages).split(), "--no-install-recommends"]
    subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    provide_browser()
