# SPDX-License-Identifier: Apache-2.0
"""The console's server: pages, pairing, one WebSocket; decisions are kata_teleop.console's and kata_teleop.engage's."""
