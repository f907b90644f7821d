# SPDX-License-Identifier: Apache-2.0
"""Hold the form of CHANGELOG.md: what changes for users is told, in Keep a Changelog's words."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINES = (ROOT / "CHANGELOG.md").read_text().splitlines()
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_unreleased_comes_first() -> None:
    assert next(line for line in LINES if line.startswith("## ")) == "## Unreleased"


def test_headings_are_known() -> None:
    unknown = [line for line in LINES if line.startswith("### ") and line[4:] not in KINDS]
    assert not unknown


def test_a_kind_appears_once_in_a_release() -> None:
    seen: set[str] = set()
    for line in LINES:
        if line.startswith("## "):
            seen.clear()
        elif line.startswith("### "):
            assert line not in seen, f"{line} twice in one release"
            seen.add(line)


def test_something_is_told() -> None:
    assert any(line.startswith("- ") for line in LINES)


def test_packages_share_one_version() -> None:
    versions = {re.search(r"<version>(.+)</version>", f.read_text()).group(1) for f in ROOT.glob("src/*/package.xml")}  # type: ignore[union-attr]
    versions |= {re.search(r'version="(.+)"', f.read_text()).group(1) for f in ROOT.glob("src/*/setup.py")}  # type: ignore[union-attr]
    assert len(versions) == 1, versions
