# SPDX-License-Identifier: Apache-2.0
"""Self-collision by capsules: data, distances, and a tool that fits them."""

from kata_model.collision.capsules import Capsule, CapsuleArrays, CapsuleSet, capsule_arrays, load_capsules

__all__ = ["Capsule", "CapsuleArrays", "CapsuleSet", "capsule_arrays", "load_capsules"]
