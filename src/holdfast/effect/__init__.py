# SPDX-License-Identifier: Apache-2.0
"""What Holdfast does to the world outside: one line of acts for each thing, none lost, none out of order."""
