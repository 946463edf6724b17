# SPDX-License-Identifier: Apache-2.0
"""The demonstration: benign pictures made by code, sent through the real API, and a sheet of what came back."""
