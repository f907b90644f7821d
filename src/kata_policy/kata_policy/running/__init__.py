# SPDX-License-Identifier: Apache-2.0
"""A policy asked at its rate: history, inference, execution, retreat."""
