# SPDX-License-Identifier: Apache-2.0
"""Make and check the SROS2 keystore: which node may say and hear what (config/security.yaml), signed.

`kata security make` writes certificates and permissions for every node; `kata security check` says what is wrong with a
keystore, exit code 1 if anything is. A full ROS 2 enforces it: the wheels of a bare machine lack DDS's security plugins.
"""

import argparse
from pathlib import Path

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    make = steps.add_parser("make", help="write a keystore with new keys")
    check = steps.add_parser("check", help="say what is wrong with a keystore")
    for step in (make, check):
        step.add_argument("keystore", type=Path, help="folder of the keystore")
        step.add_argument("--policies", type=Path, metavar="FILE", help="instead of config/security.yaml")
    make.add_argument("--days", type=int, default=365, help="how long it is good (default 365)")
    make.add_argument("--replace", action="store_true", help="replace a keystore that is there: all nodes need the new one then")


def run(args: argparse.Namespace) -> int:
    """Make or check."""
    import datetime

    from kata_model.errors import ConfigError
    from kata_nodes.security import check_keystore, load_policies, make_keystore

    policies = load_policies(args.policies)
    if args.step == "check":
        faults = check_keystore(args.keystore, policies, datetime.datetime.now(datetime.UTC))
        print("\n".join(faults) or f"{args.keystore}: {len(policies)} enclaves, nothing wrong")
        return 1 if faults else 0
    if not 1 <= args.days <= 3650:
        raise ConfigError(f"--days {args.days}", fix="1 to 3650")
    make_keystore(args.keystore, policies, args.days, replace=args.replace)
    print(f"{args.keystore}: {len(policies)} enclaves, good for {args.days} days; to enforce it on a full ROS 2:")
    print(f"  export ROS_SECURITY_KEYSTORE={args.keystore.resolve()} ROS_SECURITY_ENABLE=true ROS_SECURITY_STRATEGY=Enforce")
    return 0
