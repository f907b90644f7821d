# SPDX-License-Identifier: Apache-2.0
"""What MuJoCo simulates: robot, meshes, room."""
