# SPDX-License-Identifier: Apache-2.0
"""The pieces of a page: plain functions from data to HTML, all text escaped."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files

import numpy as np

from kata_data.episodes.episode import Episode
from kata_model.verdict import Status
from kata_report import style
from kata_report.pictures import Shot

__all__ = [
    "big",
    "bullets",
    "chart",
    "columns",
    "document",
    "grade",
    "heading",
    "keys",
    "pill",
    "scroll",
    "section",
    "status_bar",
    "strip",
    "table",
    "tiles",
]


def document(title: str, lead: str, body: Iterable[str], footer: str) -> str:
    """Return a whole page; nothing in it is loaded from elsewhere."""
    css = files("kata_report").joinpath("page.css").read_text(encoding="utf-8")
    content = "\n".join(part for part in body if part)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
{css}</style>
</head>
<body>
<main>
<header class="top">
<div class="brand">Kata</div>
<h1>{escape(title)}</h1>
<p class="lead">{escape(lead)}</p>
</header>
{content}
<footer>{escape(footer)}</footer>
</main>
</body>
</html>
"""


def section(title: str, text: str, *parts: str) -> str:
    """Return a section; text explains it in a sentence or two. Without parts there is no section."""
    content = "\n".join(part for part in parts if part)
    return f"<section>\n<h2>{escape(title)}</h2>\n<p>{escape(text)}</p>\n{content}\n</section>" if content else ""


def big(value: str, unit: str, says: str, drawing: str = "", figures: Sequence[tuple[str, str]] = ()) -> str:
    """Return the page's first panel: one large figure with what it says, a drawing below, and tiles beside it."""
    number = f"<div class=big>{escape(value)}<small> {escape(unit)}</small></div>"
    return f'<div class="hero"><div>{number}<p class=says>{escape(says)}</p>{drawing}</div>{tiles(figures)}</div>'


def heading(title: str, aside: str = "") -> str:
    """Return a small heading, with an aside in a quiet colour."""
    return f"<h3>{escape(title)}{f' <em>{escape(aside)}</em>' if aside else ''}</h3>"


def columns(*parts: str) -> str:
    """Return parts side by side."""
    return f"<div class=two>{''.join(f'<div>{part}</div>' for part in parts)}</div>"


def bullets(lines: Iterable[str]) -> str:
    """Return a list of lines; nothing for none."""
    inner = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{inner}</ul>" if inner else ""


def scroll(part: str) -> str:
    """Return a long part in a window of its own."""
    return f"<div class=scroll>{part}</div>"


def tiles(figures: Sequence[tuple[str, str]]) -> str:
    """Return large figures, each a value and what it is."""
    inner = "".join(f"<div class=tile><b>{escape(value)}</b><span>{escape(what)}</span></div>" for value, what in figures)
    return f"<div class=tiles>{inner}</div>"


def chart(svg: str, caption: str = "") -> str:
    """Return a chart with its caption; nothing for an empty chart."""
    if not svg:
        return ""
    return f"<figure>{svg}{f'<figcaption>{escape(caption)}</figcaption>' if caption else ''}</figure>"


def strip(shots: Sequence[Shot], caption: str = "", *, tall: bool = False) -> str:
    """Return a film strip, a tall one of four pictures a row; nothing without pictures."""
    if not shots:
        return ""
    inner = "".join(
        f'<div><img src="{shot.uri}" alt="at {shot.seconds:.2f} s">'
        f"<span><b>{shot.seconds:.2f} s</b>{escape(shot.caption)}</span></div>"
        for shot in shots
    )
    words = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    kind = "strip tall" if tall else "strip"
    return f"<figure><div class='{kind}'>{inner}</div>{words}</figure>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """Return a table.

    Args:
        head: Titles of the columns.
        rows: Cells as HTML; make text of them with `html.escape`.
        numbers: Columns that are set flush right.
    """
    mark = [' class="number"' if i in numbers else "" for i in range(len(head))]
    top = "".join(f"<th{m}>{escape(cell)}</th>" for m, cell in zip(mark, head, strict=True))
    body = "".join("<tr>" + "".join(f"<td{m}>{cell}</td>" for m, cell in zip(mark, row, strict=True)) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def pill(success: bool, good: str = "success", bad: str = "no success") -> str:
    """Return a mark for success or failure, in these words."""
    return f'<span class="pill good">{escape(good)}</span>' if success else f'<span class="pill bad">{escape(bad)}</span>'


def grade(letter: str) -> str:
    """Return a mark for a grade from A to F."""
    kind = {"A": "good", "B": "good", "C": "fair"}.get(letter, "bad")
    return f'<span class="pill {kind}">{escape(letter)}</span>'


def keys(colours: Mapping[str, str]) -> str:
    """Return a legend."""
    inner = "".join(f'<span><i style="background:{colour}"></i>{escape(name)}</span>' for name, colour in colours.items())
    return f"<div class=keys>{inner}</div>"


def status_bar(episode: Episode) -> str:
    """Return the safety filter's status over an episode as one thin bar; the graver status wins within a piece."""
    verdict = episode.verdict
    if verdict is None or not len(verdict.decided):
        return ""
    seconds = episode.seconds(verdict.decided)
    pieces = int(np.clip(episode.duration / 0.02, 100, 600))
    edges = np.linspace(0.0, max(episode.duration, 1e-9), pieces + 1)
    place = np.clip(np.searchsorted(edges, seconds, side="right") - 1, 0, pieces - 1)
    worst = [int(verdict.status[place == i].max()) if (place == i).any() else None for i in range(pieces)]
    runs: list[tuple[int | None, int]] = []
    for status in worst:
        # A piece without a tick goes on as the one before.
        status = runs[-1][0] if status is None and runs else status
        if runs and runs[-1][0] == status:
            runs[-1] = (status, runs[-1][1] + 1)
        else:
            runs.append((status, 1))
    inner = "".join(f'<i style="width:{100 * length / pieces:.2f}%;background:{_colour(status)}"></i>' for status, length in runs)
    return f"<div class=bar>{inner}</div>"


def _colour(status: int | None) -> str:
    return style.RULE if status is None else style.STATUS[Status(status).name.lower()]
