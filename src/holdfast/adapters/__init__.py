# SPDX-License-Identifier: Apache-2.0
"""What lies outside the process: the database's server, system accounts. One module each."""
