# SPDX-License-Identifier: Apache-2.0
"""Outside things become values: what was uploaded, and which item it belongs to."""
