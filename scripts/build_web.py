# SPDX-License-Identifier: Apache-2.0
"""Build the pages of the console: `make web` runs this; with nothing changed it only compares a stamp."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WEB = ROOT / "web"
DIST = WEB / "dist"
STAMP = DIST / ".stamp.json"
_INPUTS = (".npmrc", "*.json", "*.html", "*.ts", "src/**/*")
_NODE = (20, 19)
"""Oldest Node.js that builds the pages: Vite's demand. Debian 12 has 18."""


def main() -> int:
    """Install what package-lock.json pins and build; return an exit code."""
    stamp = {"lock": _digest([WEB / "package-lock.json"]), "all": _digest(_inputs())}
    built = json.loads(STAMP.read_text()) if STAMP.is_file() else {}
    if built == stamp:
        return 0
    if fault := _provide_node():
        old = " (the pages of an earlier build are served)" if DIST.is_dir() else "; without it the console has no pages"
        print(f"web: {fault}{old}", file=sys.stderr)
        return 0 if DIST.is_dir() else 2
    steps = [["run", "--silent", "build"]]
    if built.get("lock") != stamp["lock"] or not (WEB / "node_modules").is_dir():
        steps.insert(0, ["ci", "--no-audit", "--no-fund", "--silent"])
    for step in steps:
        print(f"web: npm {' '.join(step[:2])}", flush=True)
        if subprocess.run(["npm", *step], cwd=WEB, check=False).returncode:
            print(f"web: npm {' '.join(step)} failed (its output is above)", file=sys.stderr)
            return 2
    STAMP.write_text(json.dumps(stamp))
    return 0


def _provide_node() -> str:
    """See to it that `node` and `npm` are there and new enough, by PyPI's if they are not; return why not, or nothing."""
    found = _node_version()
    if found >= _NODE and shutil.which("npm"):
        return ""
    had = f"Node.js {'.'.join(map(str, found))} is too old" if found and shutil.which("npm") else "Node.js with npm is missing"
    need = ".".join(map(str, _NODE))
    print(f"web: {had}, {need} is needed: installing it from PyPI into {sys.prefix}", flush=True)
    command = [sys.executable, "-m", "pip", "install", "-q", "-r", str(ROOT / "requirements/web.txt")]
    installed = sys.prefix != sys.base_prefix and subprocess.run(command, check=False).returncode == 0
    os.environ["PATH"] = f"{sys.prefix}/bin:{os.environ['PATH']}"
    if installed and _node_version() >= _NODE and shutil.which("npm"):
        return ""
    return f"{had}, and PyPI's could not be installed: install Node.js {need} or newer with npm, then make web"


def _node_version() -> tuple[int, ...]:
    """Return the version of `node`, empty if there is none."""
    node = shutil.which("node")
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout if node else ""
    numbers = told.strip().removeprefix("v").split(".")
    return tuple(int(number) for number in numbers) if all(number.isdigit() for number in numbers) else ()


def _inputs() -> list[Path]:
    return sorted({f for pattern in _INPUTS for f in WEB.glob(pattern) if f.is_file()})


def _digest(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(str(file.relative_to(WEB)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
