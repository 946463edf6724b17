# SPDX-License-Identifier: Apache-2.0
"""The addresses and shapes of Meta's Hasher-Matcher-Actioner, for clients that already speak to it.

Same questions, same JSON; but what HMA answers with "no match" although it could not tell, is an
error here. docs/hma.md lists every difference, and a test stands behind each line of that list.
"""
