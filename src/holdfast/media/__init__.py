# SPDX-License-Identifier: Apache-2.0
"""Decoding where it can do no harm: bytes go into a confined process, luma planes come out."""
