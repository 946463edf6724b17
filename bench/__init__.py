# SPDX-License-Identifier: Apache-2.0
"""Measurements of Holdfast against its peers on named, fetchable pictures. Run with `python -m bench`.

Not part of the product: it needs requirements/bench.lock, Debian's package archive once, and Linux.
"""
