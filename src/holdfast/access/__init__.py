# SPDX-License-Identifier: Apache-2.0
"""Who may ask what: API keys and their scopes."""
