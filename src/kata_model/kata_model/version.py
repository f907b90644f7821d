# SPDX-License-Identifier: Apache-2.0
"""Which version of the code is running."""

import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["code_version"]


def code_version() -> str:
    """Return the commit of the source tree, with ``+`` if files differ from it; else the package's version."""
    here = Path(__file__).resolve().parent
    commit = _git(here, "rev-parse", "HEAD")
    if commit:
        return commit + ("+" if _git(here, "status", "--porcelain", "--untracked-files=no") else "")
    try:
        return version("kata_model")
    except PackageNotFoundError:
        return "unknown"


def _git(folder: Path, *args: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(folder), *args], capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
