# SPDX-License-Identifier: Apache-2.0
"""The story the design begins with, as figures: as it happened, and with Holdfast."""
