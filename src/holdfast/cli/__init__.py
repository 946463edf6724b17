# SPDX-License-Identifier: Apache-2.0
"""The command line: rich output for people, --json for programs, documented exit codes."""
