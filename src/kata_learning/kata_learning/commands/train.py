# SPDX-License-Identifier: Apache-2.0
"""Train a policy on a dataset by behaviour cloning.

The policy looks at one observation and proposes the next joint positions as a chunk. Training stops by
itself when the episodes kept for validation no longer get better. RUN then holds the weights (policy.pt),
the configuration (config.json) and how the loss went (loss.csv, loss.png).

Example:
  kata train --data runs/demo/dataset --out runs/demo/train
"""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from kata_learning.options import add_config
    from kata_learning.train_config import TrainConfig

    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="dataset, made by `kata dataset`")
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder to write; must not exist")
    parser.add_argument("--replace", action="store_true", help="replace a training run that lies there")
    add_config(parser, TrainConfig, "training")


def run(args: argparse.Namespace) -> int:
    """Train and write the run."""
    from tqdm import tqdm

    from kata_core.atomic import check_free
    from kata_learning.dataset import load_dataset
    from kata_learning.options import take_config
    from kata_learning.run_folder import MARKER, save_run
    from kata_learning.train import EpochLoss, train_policy
    from kata_learning.train_config import TrainConfig
    from kata_learning.version import code_version

    config = take_config(TrainConfig, args)
    check_free(args.out, MARKER, replace=args.replace)
    dataset = load_dataset(args.data)
    with tqdm(total=config.epochs, desc="training", unit="epoch", disable=None) as bar:

        def show(loss: EpochLoss) -> None:
            bar.set_postfix(train=f"{loss.train:.4f}", validation=f"{loss.validation:.4f}", refresh=False)
            bar.update()

        trained = train_policy(dataset, config, show)
    about = {"data": str(args.data.resolve()), "data_hash": dataset.manifest.hash, "commit": code_version()}
    save_run(trained, config, about, args.out, replace=args.replace)
    best = trained.losses[trained.best]
    print(f"run       {args.out}")
    print(f"epochs    {len(trained.losses)}, kept epoch {best.epoch}")
    print(f"loss      {best.train:.4f} train, {best.validation:.4f} validation (squared error / spread²)")
    return 0
