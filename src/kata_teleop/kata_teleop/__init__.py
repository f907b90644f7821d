# SPDX-License-Identifier: Apache-2.0
"""How a person drives the robot: engaging, devices, scripted persons, the console's protocol."""
