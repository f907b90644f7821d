# SPDX-License-Identifier: Apache-2.0
"""A page of a dataset: what it holds, episode by episode, filtered by label in the browser."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from markupsafe import Markup

from kata_data.dataset import Dataset, EpisodeEntry, Manifest
from kata_data.dataset.assemble import Steps, episodes_of
from kata_model.atomic import new_file
from kata_report import page
from kata_report.curves import colours_of, curves
from kata_report.pictures import Shot, encode, jpeg_uri

__all__ = ["write_page"]

_SHOTS, _SHOT_WIDTH = 6, 200
_FILTERED = 12
"""Most values of a label that is offered as a filter; one with more is a name or a time."""

_SCRIPT = """<script>
const cards = [...document.querySelectorAll('.episode')], inputs = [...document.querySelectorAll('.filters [name]')];
const status = document.querySelector('.filters output');
function show() {
  let shown = 0;
  for (const card of cards) {
    const labels = JSON.parse(card.dataset.labels);
    const fits = inputs.every(i => !i.value || (i.name === '*' ? card.textContent.toLowerCase().includes(i.value.toLowerCase())
      : labels[i.name] === i.value));
    card.hidden = !fits; shown += fits;
  }
  status.textContent = `${shown} of ${cards.length} episodes`;
}
inputs.forEach(i => i.addEventListener('input', show)); show();
</script>"""


def write_page(dataset: Dataset, name: str, out: Path, most: int) -> None:
    """Write the page.

    Args:
        dataset: What to show.
        name: Its title.
        out: File, written whole or not at all.
        most: Episodes that are shown with curves and pictures.

    Raises:
        DataError: Pictures are missing, or the file cannot be written.
    """
    about = dataset.manifest
    body = (
        page.section("At a glance", "What was kept, and what was left out.", _tiles(dataset)),
        page.section("What a policy sees and does", "Over the training episodes.", page.scroll(_statistics(about))),
        page.section("Left out", "Steps by stream, and bags that could not be read.", _left_out(about)),
        page.section("Episodes", "Commands (coloured) over measured joints (grey).", *_episodes(dataset, most)),
    )
    text = page.document(f"Dataset {name}", _lead(about), body, f"hash {about.hash}")
    with new_file(out) as partial:
        partial.write_text(text, encoding="utf-8")


def _lead(about: Manifest) -> str:
    return f"Robot {about.robot}, task {about.task}, {about.rate:g} steps a second, {len(about.joint_names)} joints."


def _tiles(dataset: Dataset) -> Markup:
    entries = dataset.manifest.episodes
    dropped = sum(sum(entry.dropped.values()) for entry in entries)
    human = int(dataset.intervention.sum())
    pictures = sum(file.count for entry in entries for file in entry.frames.values())
    figures = (
        (str(len(entries)), "episodes"),
        (str(sum(entry.split == "validation" for entry in entries)), "of them for validation"),
        (f"{len(dataset) / dataset.manifest.rate / 60:.1f} min", f"in {len(dataset)} steps"),
        (str(dropped), "steps dropped"),
        *(((str(human), "steps of a human in the policy's place"),) if human else ()),
        (str(pictures), f"pictures of {len(dataset.manifest.cameras)} cameras"),
        (str(sum(entry.success for entry in entries)), "episodes that succeeded"),
    )
    return page.tiles(figures)


def _statistics(about: Manifest) -> Markup:
    rows = []
    for name, of in about.statistics.items():
        joints = about.joint_names if name in ("action", "joint_position", "joint_velocity") else ()
        for i, numbers in enumerate(zip(of.low, of.mean, of.high, of.std, strict=True)):
            axes = "rgb" if name.startswith("camera.") else "xyz" if len(of.mean) == 3 else ""
            part = joints[i] if i < len(joints) else axes[i] if axes else str(i)
            rows.append((name, part, *(f"{number:.3f}" for number in numbers)))
    return page.table(("quantity", "element", "least", "mean", "greatest", "spread"), rows, numbers=(2, 3, 4, 5))


def _left_out(about: Manifest) -> Markup:
    rows = [(Path(entry.bag).name, stream, str(count)) for entry in about.episodes for stream, count in entry.dropped.items()]
    bags = [(Path(bag).name, reason, "whole bag") for bag, reason in about.skipped.items()]
    table = page.table(("episode", "for want of", "steps"), [*bags, *rows], numbers=(2,), empty="")
    return page.scroll(table) if table else table


def _episodes(dataset: Dataset, most: int) -> Iterator[Markup]:
    entries = dataset.manifest.episodes
    yield page.keys({name.removesuffix("_joint"): colour for name, colour in colours_of(dataset.manifest.joint_names).items()})
    yield _filters(entries[:most])
    for i, steps in enumerate(episodes_of(dataset)[:most]):
        yield _card(dataset, i, steps)
    if len(entries) > most:
        yield page.paragraph(f"… and {len(entries) - most} more; ", page.code(f"--episodes {len(entries)}"), " shows all.")
    yield Markup(_SCRIPT)


def _labels(entry: EpisodeEntry) -> dict[str, str]:
    return {**entry.labels, "split": entry.split, "outcome": "success" if entry.success else "no success"}


def _filters(entries: Sequence[EpisodeEntry]) -> Markup:
    values: dict[str, set[str]] = {}
    for entry in entries:
        for name, value in _labels(entry).items():
            values.setdefault(name, set()).add(value)
    return page.filters({name: sorted(found) for name, found in sorted(values.items()) if 1 < len(found) <= _FILTERED})


def _card(dataset: Dataset, index: int, steps: Steps) -> Markup:
    entry = steps.entry
    title = page.heading(f"{index} · {Path(entry.bag).name}", f"{entry.task} · {steps.action.shape[0]} steps · {entry.split}")
    strips = Markup().join(page.strip(_shots(dataset, index, steps, camera), camera) for camera in steps.frame)
    seconds = (steps.stamp - steps.stamp[0]) * 1e-9
    drawn = curves(seconds, steps.action, steps.observation.get("joint_position"), f"commands of {Path(entry.bag).name}")
    labels = " · ".join(f"{name} {value}" for name, value in entry.labels.items())
    pill = page.pill(entry.success)
    return page.macro("card", json.dumps(_labels(entry)), title, pill, labels, strips + drawn)


def _shots(dataset: Dataset, index: int, steps: Steps, camera: str) -> list[Shot]:
    rows = np.unique(np.linspace(0, len(steps.action) - 1, _SHOTS).astype(int))
    pictures = dataset.frames().pictures(camera, index)
    shots = []
    for row in rows.tolist():
        picture = pictures[steps.frame[camera][row]]
        size = (_SHOT_WIDTH, max(1, round(_SHOT_WIDTH * picture.shape[0] / picture.shape[1])))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        shots.append(Shot(jpeg_uri(encode(small)), float((steps.stamp[row] - steps.stamp[0]) * 1e-9), ""))
    return shots
