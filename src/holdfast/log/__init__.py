# SPDX-License-Identifier: Apache-2.0
"""The journal: what was recorded, in which order. Every other stage may import it; it imports none."""
