# SPDX-License-Identifier: Apache-2.0
"""What `kata retarget CLIPS… --report FILE.html` does with the motions: write a page on them.

One clip fills the page; of several the page is a list, and each clip has a page in a folder of the same name.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kata_retarget.jobs import ClipResult

_SIZE = 250, 400
"""Of one picture [px]."""


def run(results: "Sequence[ClipResult]", args: argparse.Namespace) -> int:
    """Write the page.

    Raises:
        ClipError: A clip cannot be read any more.
        DataError: The disk refuses.
    """
    from tqdm import tqdm

    from kata_report.pictures import try_rendering
    from kata_report.retarget.retarget_report import clip_page, index_page, index_row
    from kata_report.retarget.retarget_view import view_clip
    from kata_retarget.jobs import robot_of
    from kata_sim import SelfCollision

    robot, overlaps = robot_of(args.robot), SelfCollision(robot_of(args.robot)).beyond_rest
    done = [result for result in results if result.trajectory is not None]
    folder = args.report.with_suffix("")
    rows = []
    with try_rendering(robot, *_SIZE) as renderer:
        hide = True if len(done) == 1 or args.quiet else None
        for i, result in enumerate(tqdm(done, desc="reporting", unit="clip", disable=hide)):
            view = view_clip(robot, result, overlaps)
            text = clip_page(robot, view, renderer)
            if len(results) == 1:
                _write(args.report, text)
                break
            name = f"{i:03d}_{view.name}.html"
            _write(folder / name, text)
            rows.append(index_row(view, f"{folder.name}/{name}"))
    if len(results) > 1:
        errors = [(result.job.clip.name, result.error) for result in results if result.error]
        _write(args.report, index_page(robot, rows, errors))
    if not args.quiet:
        print(f"report    {args.report} ({args.report.stat().st_size / 1e6:.1f} MB)")
    return 0


def _write(path: Path, text: str) -> None:
    from kata_model.atomic import new_file

    with new_file(path) as partial:
        partial.write_text(text, encoding="utf-8")
