# SPDX-License-Identifier: Apache-2.0
"""`kata dataset show`: a page of what a dataset holds."""

import argparse
from pathlib import Path

HELP = {
    "show": """Write a page of a dataset: its episodes with curves and pictures, statistics, what was dropped.

The page is one file without links to elsewhere; episodes are filtered by label in the browser."""
}


def add_arguments(parser: argparse.ArgumentParser, _: str) -> None:
    """Declare the command's arguments."""
    parser.add_argument("data", type=Path, metavar="DIR", help="dataset")
    parser.add_argument("--out", type=Path, metavar="FILE", help="page to write (default: DIR.html beside the dataset)")
    parser.add_argument("--episodes", type=int, default=200, metavar="N", help="episodes with curves and pictures (default: 200)")
    parser.add_argument("--check-pictures", action="store_true", help="read all pictures and compare them with their hashes")


def run(args: argparse.Namespace) -> int:
    """Write the page."""
    from kata_data.dataset import load_dataset
    from kata_data.dataset.frames import check_frames
    from kata_report.pages.dataset_page import write_page

    dataset = load_dataset(args.data)
    if args.check_pictures:
        check_frames(args.data, dataset.manifest.episodes)
    folder = args.data.resolve()
    out = args.out or folder.with_name(f"{folder.name}.html")
    write_page(dataset, folder.name, out, args.episodes)
    print(out)
    return 0
