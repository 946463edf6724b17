# SPDX-License-Identifier: Apache-2.0
"""Commons: a small platform where people post pictures, made to show how one integrates with Holdfast.

It stands by itself: its own process, its own database, and nothing of Holdfast is imported. It asks
`POST /v1/screen` before it publishes anything (`screening.py`), and it answers the nine signed calls of
docs/platform.md (`calls.py`). Read `posting.py` for the one rule, `holding.py` for what held means here, and
`front.py` for why nothing held comes out of a cache.
"""
