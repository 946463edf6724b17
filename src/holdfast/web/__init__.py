# SPDX-License-Identifier: Apache-2.0
"""The HTTP edge: Django under WSGI. Errors become HTTP here and nowhere else."""
