# SPDX-License-Identifier: Apache-2.0
"""Holdfast: content or report -> match -> case -> hold -> review -> decision -> report out, keep, prevent.

The packages are the stages of that sentence, in order; `pipeline` is the file to read first.
Built so far: content -> match -> answer, with every answer in the journal.
"""

__version__ = "0.1.0"
