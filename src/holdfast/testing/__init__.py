# SPDX-License-Identifier: Apache-2.0
"""What authors of adapters and platforms test with: simulators that fail on demand, and contracts. Needs pytest."""
