# SPDX-License-Identifier: Apache-2.0
"""The tables, and the transactions that write them. PostgreSQL only; a Django app."""
