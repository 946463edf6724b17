# SPDX-License-Identifier: Apache-2.0
"""Is this known? Signals, the banks that hold them, the index that finds them, and the verdict."""
