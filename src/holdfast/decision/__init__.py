# SPDX-License-Identifier: Apache-2.0
"""Decision: what follows from findings, who is told what, and how it is appealed.

Nobody dismisses alone: whatever lets held content be reached again takes two people who found so by themselves.
"""
