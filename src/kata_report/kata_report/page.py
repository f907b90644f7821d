# SPDX-License-Identifier: Apache-2.0
"""The pieces of a page: functions from data to HTML by the templates of page.html; text is escaped, `Markup` is not."""

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from itertools import groupby
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from kata_data.episodes.episode import Episode
from kata_model.verdict import Status
from kata_report import style
from kata_report.pictures import Shot

__all__ = [
    "big",
    "bullets",
    "chart",
    "code",
    "columns",
    "document",
    "filters",
    "grade",
    "heading",
    "keys",
    "macro",
    "paragraph",
    "pill",
    "scroll",
    "section",
    "status_bar",
    "strip",
    "table",
    "tiles",
]

_macros = Environment(loader=PackageLoader("kata_report", ""), autoescape=True).get_template("page.html").module


def macro(name: str, *values: Any) -> Markup:
    """Return what a macro of page.html makes of values."""
    return Markup(getattr(_macros, name)(*values))


def document(title: str, lead: str, body: Iterable[Markup], footer: str) -> str:
    """Return a whole page; nothing in it is loaded from elsewhere."""
    css = Markup(files("kata_report").joinpath("page.css").read_text(encoding="utf-8"))
    return str(macro("document", title, lead, _joined(body), footer, css))


def section(title: str, text: str, *parts: Markup) -> Markup:
    """Return a section; text explains it in a sentence or two. Without parts there is no section."""
    content = _joined(parts)
    return macro("section", title, text, content) if content else content


def _joined(parts: Iterable[Markup]) -> Markup:
    return Markup("\n").join(part for part in parts if part)


def big(value: str, unit: str, says: str, drawing: str = "", figures: Sequence[tuple[str, str]] = ()) -> Markup:
    """Return the page's first panel: one large figure with what it says, a drawing below, and tiles beside it."""
    return macro("big", value, unit, says, Markup(drawing), tiles(figures))


def heading(title: str, aside: str = "") -> Markup:
    """Return a small heading, with an aside in a quiet colour."""
    return macro("heading", title, aside)


def paragraph(*parts: str) -> Markup:
    """Return a paragraph."""
    return Markup("<p>{}</p>").format(Markup().join(parts))


def code(text: str) -> Markup:
    """Return a name or a command, set as such."""
    return Markup("<code>{}</code>").format(text)


def columns(*parts: Markup) -> Markup:
    """Return parts side by side."""
    return macro("columns", parts)


def bullets(lines: Iterable[str]) -> Markup:
    """Return a list of lines; nothing for none."""
    return macro("bullets", list(lines))


def scroll(part: Markup) -> Markup:
    """Return a long part in a window of its own."""
    return Markup("<div class=scroll>{}</div>").format(part)


def tiles(figures: Sequence[tuple[str, str]]) -> Markup:
    """Return large figures, each a value and what it is."""
    return macro("tiles", figures)


def chart(svg: str, caption: str = "") -> Markup:
    """Return a chart with its caption; nothing for an empty chart."""
    return macro("figure", Markup(svg), caption) if svg else Markup()


def strip(shots: Sequence[Shot], caption: str = "", *, tall: bool = False) -> Markup:
    """Return a film strip, a tall one of four pictures a row; nothing without pictures."""
    return macro("figure", macro("strip", shots, "strip tall" if tall else "strip"), caption) if shots else Markup()


def table(head: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = (), empty: str | None = None) -> Markup:
    """Return a table, or a text in its place where that is given and there are no rows.

    Args:
        head: Titles of the columns.
        rows: Cells: text, or HTML as `Markup`.
        numbers: Columns that are set flush right.
        empty: What is said of no rows; an empty text leaves the table out.
    """
    if not rows and empty is not None:
        return paragraph(empty) if empty else Markup()
    return macro("table", head, rows, numbers)


def pill(success: bool, good: str = "success", bad: str = "no success") -> Markup:
    """Return a mark for success or failure, in these words."""
    return macro("pill", good, "good") if success else macro("pill", bad, "bad")


def grade(letter: str) -> Markup:
    """Return a mark for a grade from A to F."""
    return macro("pill", letter, {"A": "good", "B": "good", "C": "fair"}.get(letter, "bad"))


def keys(colours: Mapping[str, str]) -> Markup:
    """Return a legend."""
    return macro("keys", colours)


def filters(offered: Mapping[str, Sequence[str]]) -> Markup:
    """Return what chooses among cards: a text, and by label its values."""
    return macro("filters", offered)


def status_bar(episode: Episode) -> Markup:
    """Return the safety filter's status over an episode as one thin bar; the graver status wins within a piece."""
    verdict = episode.verdict
    if verdict is None or not len(verdict.decided):
        return Markup()
    seconds = episode.seconds(verdict.decided)
    pieces = int(np.clip(episode.duration / 0.02, 100, 600))
    edges = np.linspace(0.0, max(episode.duration, 1e-9), pieces + 1)
    place = np.clip(np.searchsorted(edges, seconds, side="right") - 1, 0, pieces - 1)
    worst: list[int | None] = []
    for i in range(pieces):  # a piece without a tick goes on as the one before
        worst.append(int(verdict.status[place == i].max()) if (place == i).any() else worst[-1] if worst else None)
    runs = [(status, len(list(same))) for status, same in groupby(worst)]
    return macro("bar", [(100 * length / pieces, _colour(status)) for status, length in runs])


def _colour(status: int | None) -> str:
    return style.RULE if status is None else style.STATUS[Status(status).name.lower()]
