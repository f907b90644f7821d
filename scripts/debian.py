# SPDX-License-Identifier: Apache-2.0
"""Find what Debian or Ubuntu must provide before anything can be built; run by itself, what the browser tests need."""

import ctypes.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

__all__ = ["missing_packages", "provide", "provide_browser"]

_DRI = ("/usr/lib/x86_64-linux-gnu/dri", "/usr/lib/aarch64-linux-gnu/dri", "/usr/lib64/dri", "/usr/lib/dri")


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


def provide() -> None:
    """Install what is missing when root, else end with one line that names the command."""
    missing = missing_packages()
    if not missing:
        return
    command = f"apt-get install -y {' '.join(missing)}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sys.exit(f"setup: missing system packages: {' '.join(missing)} (run: sudo {command})")
    _install(missing)
    still = missing_packages()
    if still:
        sys.exit(f"setup: still missing after apt-get: {' '.join(still)} (run: {command}, and read what it says)")


def provide_browser() -> None:
    """Install Chromium for the tests of the operator's pages; without root, say how, since all else can be tested."""
    if shutil.which("chromium") or shutil.which("chromium-browser"):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print("setup: no chromium: the operator's pages are not tested (run: sudo apt-get install -y chromium)", flush=True)
    else:
        _install(["chromium"])


def _install(packages: Sequence[str]) -> None:
    command = ["apt-get", "install", "-y", *packages]
    print(f"setup: {' '.join(command)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], check=False, env=environment)
    subprocess.run([*command, "--no-install-recommends"], check=False, env=environment, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    provide_browser()
