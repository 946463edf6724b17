# SPDX-License-Identifier: Apache-2.0
"""What somebody must look at, by name: raised, acknowledged, cleared, each an event."""
