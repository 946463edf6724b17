# SPDX-License-Identifier: Apache-2.0
"""Personal data: encrypted before it is stored, under a key of its own per subject, so that it can be destroyed."""
