# SPDX-License-Identifier: Apache-2.0
"""`kata dataset export` and `import`: other projects' formats."""

import argparse
from pathlib import Path

from kata_model.errors import ConfigError

HELP = {
    "export": """Write a dataset in another format.

lerobot is LeRobotDataset v3.0 (Parquet and MP4): a folder. Its frames have nominal times, index / rate, as the
format demands; the true stamps are in the features kata.stamp, kata.state_stamp and kata.frame_stamp.*.
hdf5 is robomimic's layout: one file.""",
    "import": """Make a dataset of a LeRobotDataset v3.0.

The data of others have nominal times and no derivatives of what is observed: train on them with --noise 0 --shift 0.""",
}


def add_arguments(parser: argparse.ArgumentParser, action: str) -> None:
    """Declare the command's arguments."""
    what = "dataset" if action == "export" else "folder of the LeRobotDataset"
    parser.add_argument("data", type=Path, metavar="DIR", help=what)
    parser.add_argument("--out", type=Path, required=True, metavar="PATH", help="folder or file to write; must not exist")
    parser.add_argument("--replace", action="store_true", help="replace a folder of that kind that lies there")
    if action == "export":
        parser.add_argument("--format", choices=("lerobot", "hdf5"), default="lerobot", help="which format (default: lerobot)")
        parser.add_argument("--streams", nargs="+", default=(), metavar="NAME", help="hdf5: terms and cameras (default: all)")


def run(args: argparse.Namespace) -> int:
    """Write the other format, or the dataset."""
    if args.action == "import":
        return _import(args)
    return _hdf5(args) if args.format == "hdf5" else _lerobot(args)


def _lerobot(args: argparse.Namespace) -> int:
    from kata_data.dataset import load_dataset
    from kata_data.interchange.lerobot_write import write_lerobot

    if args.streams:
        raise ConfigError("--streams is for hdf5", fix="leave it out")
    written = write_lerobot(load_dataset(args.data), args.out, replace=args.replace)
    print(f"{args.out}: LeRobotDataset v3.0, {written.episodes} episodes, {written.steps} frames")
    print(f"times are nominal, true ones in kata.stamp; {written.shifted} frames are off by over half a period (dropped steps)")
    return 0


def _hdf5(args: argparse.Namespace) -> int:
    from kata_data.dataset import load_dataset
    from kata_data.interchange.hdf5 import write_hdf5

    count = write_hdf5(load_dataset(args.data), args.out, args.streams)
    print(f"{args.out}: {count} demonstrations in robomimic's layout")
    return 0


def _import(args: argparse.Namespace) -> int:
    from kata_data.interchange.lerobot_read import read_lerobot

    dataset = read_lerobot(args.data, args.out, replace=args.replace)
    about = dataset.manifest
    print(f"{args.out}: {len(about.episodes)} episodes, {len(dataset)} steps at {about.rate:g} Hz, hash {about.hash[:16]}")
    return 0
