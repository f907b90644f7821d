#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Run a command in the workspace's environment, in the place of this shell, so that it gets the signals itself.
set -e
source /kata/scripts/env.sh
exec "$@"
