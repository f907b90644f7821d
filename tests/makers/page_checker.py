# SPDX-License-Identifier: Apache-2.0
"""What every page must keep, and whether pictures can be made here."""

import re
from html.parser import HTMLParser

import pytest

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Checker(HTMLParser):
    """Notes tags that are not closed in order, and addresses outside the page."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.faults += [
            f"{tag} {value[:40]}" for name, value in attrs if name in ("src", "href") and re.match(r"https?:|//|/", value or "")
        ]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}>")


def need_rendering() -> None:
    from kata_model import load_robot
    from kata_sim import Renderer, RenderError, Simulation

    simulation = Simulation(load_robot("toy"))
    try:
        Renderer(simulation.model, 32, 32).close()
    except RenderError as error:
        pytest.skip(f"no rendering: {error}")
