# SPDX-License-Identifier: Apache-2.0
"""Review: who looks at what, how little they must see, and what each of them finds.

A finding is one person's. What follows from findings, and how many it takes, is `holdfast.decision`'s.
"""
