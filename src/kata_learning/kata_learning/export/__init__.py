# SPDX-License-Identifier: Apache-2.0
"""From the folder of a run to a `policy.onnx` that describes itself."""
