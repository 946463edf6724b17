# SPDX-License-Identifier: Apache-2.0
"""Sequences and signs once, when told to: the process into whose file calls faults are injected."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from holdfast.adapters.log_folder import LogFolder
from holdfast.publish import Publisher
from holdfast.store.sequencer import Sequencer

url, folder = sys.argv[1:]
with psycopg.connect(url, autocommit=True) as connection:
    sequencer = Sequencer(connection)
    publisher = Publisher(connection, LogFolder(Path(folder)), lambda: datetime.now(UTC))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    assert sequencer.lead()
    publisher.begin()
    sequencer.round()
    publisher.publish()
