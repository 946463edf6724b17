# SPDX-License-Identifier: Apache-2.0
"""Holding: unreachable and undeletable now, reversible later; how far, where, and whether it still holds."""
