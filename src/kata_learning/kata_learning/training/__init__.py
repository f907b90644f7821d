# SPDX-License-Identifier: Apache-2.0
"""From a dataset to the folder of a training run."""
