# SPDX-License-Identifier: Apache-2.0
"""The documents: lines that a person can read, links that lead somewhere, and no file named that is not there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
WIDEST, WIDEST_TABLE = 100, 150
"""Characters of a line of prose, and of a table that numbers fill."""

GENERATED = {"benchmark.md"}
"""Tables in it are written by `benchmarks/tasks.py`."""


def lines(document: Path) -> list[str]:
    """Return the lines outside of code blocks."""
    return [line for part in document.read_text().split("\n```")[::2] for line in part.split("\n")]


def fits(line: str, document: Path) -> bool:
    """Return whether a line is short enough, or cannot be broken."""
    if line.startswith("|"):
        return len(line) <= WIDEST_TABLE or document.name in GENERATED
    return len(line) <= WIDEST or line.startswith(("![", "    ")) or re.fullmatch(r" *[-*]? *[`\[].*[`)],?", line) is not None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)
def test_lines_can_be_read(document: Path) -> None:
    assert [line for line in lines(document) if not fits(line, document)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)
def test_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text())
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if d.name != "CHANGELOG.md"], ids=lambda d: d.name)
def test_files_that_are_named_exist(document: Path) -> None:
    tracked = [
        f"/{file.relative_to(ROOT)}" for top in ("src", "tests", "benchmarks", "scripts") for file in (ROOT / top).rglob("*.py")
    ]
    named = re.findall(r"`([\w./]*\w\.py)`", document.read_text())
    assert [name for name in sorted(set(named)) if not any(file.endswith(f"/{name}") for file in tracked)] == []
