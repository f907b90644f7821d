# SPDX-License-Identifier: Apache-2.0
"""`kata dataset synthesize`: demonstrations done again in other scenes."""

import argparse
from pathlib import Path

from kata_model.errors import ConfigError

HELP = {
    "synthesize": """Add synthetic demonstrations to a dataset.

Each is a demonstration of the dataset done again in simulation, in another scene: the palms' paths are carried along by the
objects, the inverse kinematics is solved anew, the safety filter stays between. Those that succeed are kept, all for
training. For datasets without pictures.""",
}


def add_arguments(parser: argparse.ArgumentParser, action: str) -> None:
    """Declare the command's arguments."""
    parser.add_argument("data", type=Path, metavar="DIR", help="dataset")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write; must not exist")
    parser.add_argument("--replace", action="store_true", help="replace a dataset that lies there")
    parser.add_argument("--episodes", type=int, default=50, metavar="N", help="new demonstrations (default: 50)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of scenes and choice (default: 0)")


def run(args: argparse.Namespace) -> int:
    """Make the demonstrations and write the dataset."""
    from tqdm import tqdm

    from kata_data.dataset import MARKER, load_dataset, save_dataset
    from kata_learning.augmentation.synthetic import synthesize
    from kata_model.atomic import check_free
    from kata_model.robot import load_robot

    if args.episodes < 1:
        raise ConfigError(f"--episodes is {args.episodes}", fix="give 1 or more")
    check_free(args.out, MARKER, replace=args.replace)
    dataset = load_dataset(args.data)
    robot = load_robot(dataset.manifest.robot)
    with tqdm(total=args.episodes, desc="synthetic", unit="episode", disable=None) as bar:
        made = synthesize(dataset, robot, args.episodes, args.seed, lambda success: bar.update(int(success)) and None)
    save_dataset(made.dataset, args.out, replace=args.replace)
    print(f"dataset   {args.out}")
    print(
        f"episodes  {len(dataset.manifest.episodes)} shown, {made.made} synthetic ({made.made} of {made.tried} replays succeeded)"
    )
    return 0
