# SPDX-License-Identifier: Apache-2.0
"""Tests of the pages of the people who work here."""
