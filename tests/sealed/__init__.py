# SPDX-License-Identifier: Apache-2.0
"""Tests of the module of the same name."""
