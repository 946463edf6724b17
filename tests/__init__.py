# SPDX-License-Identifier: Apache-2.0
"""Tests. Each folder holds those of the package of the same name."""

import os

# As in the server's own processes; else BLAS threads of a busy machine wait for each other. Before numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
