# SPDX-License-Identifier: Apache-2.0
"""Chromium under a test's control, by web/tests/driver.mjs."""

import json
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from kata_nodes.launching.process_group import pass_precedence

__all__ = ["WEB", "Browser", "Page", "why_no_browser"]

WEB = Path(__file__).parents[2] / "web"


def why_no_browser() -> str:
    """Return why pages cannot be tested here, or an empty string."""
    if shutil.which("node") is None or not (WEB / "node_modules/playwright-core").is_dir():
        return "no npm: web/node_modules is missing"
    if not chromium():
        return "no browser: chromium is missing"
    return "" if (WEB / "dist/index.html").is_file() else "no npm: web/dist is not built"


def chromium() -> str:
    """Return the path of Chromium, or an empty string."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or ""


def take_precedence(driver: int) -> None:
    """Give all threads below a driver its precedence: of itself Chromium, run by root, gives pages that of any other work."""
    niceness, below = os.getpriority(os.PRIO_PROCESS, driver), [driver]
    for pid in below:
        for task in Path(f"/proc/{pid}/task").glob("*"):
            with suppress(OSError):  # what has ended meanwhile
                os.setpriority(os.PRIO_PROCESS, int(task.name), niceness)
                below += [int(child) for child in (task / "children").read_text().split()]


class Page:
    """One tab."""

    def __init__(self, browser: "Browser", name: str) -> None:
        """Name a tab that is open."""
        self._browser, self._name = browser, name

    def do(self, what: str, **fields: Any) -> Any:
        """Ask the driver for something; its error fails the test."""
        return self._browser.ask(what, page=self._name, **fields)

    def click(self, on: str) -> None:
        """Click what a selector names."""
        self.do("click", on=on)

    def evaluate(self, script: str) -> Any:
        """Return what an expression gives in the page; promises are awaited."""
        return self.do("evaluate", script=script)

    def until(self, script: str, seconds: float = 20.0) -> None:
        """Wait until an expression is true in the page."""
        self.do("until", script=script, seconds=seconds)

    def text(self, on: str) -> str:
        """Return the text that is seen."""
        return str(self.do("text", on=on))


class Browser:
    """A browser process with tabs."""

    def __init__(self, *flags: str) -> None:
        """Start it, with flags of Chromium beside the usual ones."""
        environment = {k: v for k, v in os.environ.items() if k != "LD_LIBRARY_PATH"}
        environment |= {"KATA_CHROMIUM": chromium(), "KATA_CHROMIUM_FLAGS": " ".join(flags)}
        command = ["nice", "-n", "5", "node", "tests/driver.mjs"]
        self._process = subprocess.Popen(
            command, cwd=WEB, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        pass_precedence(self._process.pid)
        assert self._answer() == {"ready": True}

    def open(self, name: str, url: str, size: tuple[int, int] = (1000, 700), **options: Any) -> Page:
        """Open a tab; ``headset=True`` gives it an emulated Quest 3."""
        self.ask("open", page=name, url=url, width=size[0], height=size[1], **options)
        take_precedence(self._process.pid)
        return Page(self, name)

    def faults(self) -> list[str]:
        """Return errors that pages reported since this was asked last."""
        return list(self.ask("faults"))

    def ask(self, what: str, **fields: Any) -> Any:
        """Send a request to the driver and return its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **fields}) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        assert "error" not in answer, f"{what} {fields}: {answer['error']}"
        return answer["value"]

    def close(self) -> None:
        """End the browser."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the browser's driver ended"
        answer: dict[str, Any] = json.loads(line)
        return answer
