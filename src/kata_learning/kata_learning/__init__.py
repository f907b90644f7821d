# SPDX-License-Identifier: Apache-2.0
"""Learn from recorded episodes: bags → dataset → policy → evaluation. Torch lives here; ROS does not."""
