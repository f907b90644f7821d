# SPDX-License-Identifier: Apache-2.0
"""Every thread and process of the stack is in the list of docs/safety.md: what if it raises, what if it hangs, and the test."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "src"
STARTS = re.compile(
    r"\b(Thread|Timer|Process|ThreadPoolExecutor|ProcessPoolExecutor|Popen)\(|subprocess\.(run|call|check_\w+)\(|\.to_thread\("
    r"|create_task\(|ensure_future\(|run_in_executor\(|os\.(fork|spawn\w+|posix_spawn)\("
)
OURS = re.compile(r"launching/interpreter\.py$")
"""Where a class of ours is called Process, which only describes one."""


def rows() -> list[list[str]]:
    text = (ROOT / "docs" / "safety.md").read_text()
    section = text.partition("## Threads and processes")[2].partition("\n## ")[0]
    entries = [entry.split("\n  - ") for entry in section.split("\n- ")[1:]]
    return [[" ".join(part.split()) for part in entry] for entry in entries]


def test_every_place_that_starts_one_is_in_the_table() -> None:
    named = "\n".join(row[0] for row in rows())
    files = {"/".join(file.relative_to(SOURCES).parts[1:]): file for file in SOURCES.glob("*/*/**/*.py")}
    found = [name for name, file in files.items() if STARTS.search(file.read_text()) and not OURS.search(name)]
    assert len(found) > 10
    assert [name for name in found if f"`{name}`" not in named] == []


def test_every_row_answers_and_names_tests_that_exist() -> None:
    names = {file.name for file in (ROOT / "tests").rglob("test_*.py")}
    for row in rows():
        assert [part.partition(":")[0] for part in row[1:]] == ["what it does", "if it raises", "if it hangs", "test"], row[0]
        tests = re.findall(r"test_\w+\.py", row[4])
        assert tests and set(tests) <= names, row[0]
