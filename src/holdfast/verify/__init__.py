# SPDX-License-Identifier: Apache-2.0
"""The verifier that stands alone: one file that anyone can read, keep and run without Holdfast."""
