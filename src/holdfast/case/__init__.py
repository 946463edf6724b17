# SPDX-License-Identifier: Apache-2.0
"""A case: everything reported about items that belong together, with its clocks and who was exposed."""
