# SPDX-License-Identifier: Apache-2.0
"""Sign what the log holds: tiles, then a proof, then the head on disk, then the head for everyone. In that order.

A head is signed only if its tree is shown to begin with the tree signed last, which is kept in a
file and not in the database, and if every new leaf, made again from its journal row, is the one that
the sequencer wrote. A database that was set back or changed is refused with LogDiverged, and nothing
more is signed until someone has looked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg

from holdfast.adapters.log_folder import LogFolder
from holdfast.errors import LogDiverged, ProofInvalid
from holdfast.log.checkpoint import Checkpoint
from holdfast.log.merkle import EMPTY_ROOT, Frontier, check_consistency, consistency_proof, node_hash, root
from holdfast.log.tile import WIDTH, Tile, bundle_of, entries_path, over, split_hashes, tiles_between
from holdfast.store.log_rows import count_leaves, leaves_between, whole_range

MOST_AT_ONCE: Final = 128 * WIDTH
_READ: Final = 100_000
_HASHES: Final = "select leaf_hash from log_leaf where index >= %s and index < %s order by index"
_REMEMBER: Final = "insert into log_head (size, note) values (%s, %s) on conflict do nothing"


@dataclass(frozen=True, slots=True)
class Publisher:
    """Signs and publishes the log of one database in one folder; for the one who sequences it."""

    connection: psycopg.Connection[Any]
    folder: LogFolder
    clock: Callable[[], datetime]

    def begin(self) -> None:
        """Make the log if there is none, and insist that the database holds what was signed last.

        Raises LogDiverged if it does not, or if the database knows of a head and this folder of none.
        """
        with self.folder.alone():
            if not self.folder.exists():
                self._insist_on_a_new_log()
                self.folder.create(self.clock())
            last = self.folder.last_signed()
            if last is None:
                self._insist_on_a_new_log()
                return
            self._insist_on_tree(last[0])
            if self.folder.published() != last[1]:  # killed between signing and publishing
                self._show(last[0], last[1])

    def publish(self) -> Checkpoint | None:
        """Sign and publish a head over what is new, at most `MOST_AT_ONCE` leaves; None if nothing is.

        Raises LogDiverged, and OSError if the files cannot be written: then nothing was published.
        """
        with self.folder.alone():
            last = self.folder.last_signed()
            before = last[0] if last else Checkpoint(self.folder.identity().log.name, 0, EMPTY_ROOT)
            size = self._size()
            if size < before.size:
                message = f"the database holds {size} leaves; {before.size} were signed"
                raise LogDiverged(message)
            if size == before.size:
                return None
            head = self._written(before, min(size, before.size + MOST_AT_ONCE))
            self._show(head, self.folder.sign(head))
            self._clear(before.size, size=head.size)
            return head

    def _written(self, before: Checkpoint, size: int) -> Checkpoint:
        """The head of the first `size` leaves, whose tiles are on disk and whose tree begins with `before`."""
        self._write_tiles(before.size, size)
        node = self.folder.nodes(size)
        head = Checkpoint(before.origin, size, root(size, node))
        if before.size:
            proof = consistency_proof(before.size, size, node)
            try:
                check_consistency(before.size, size, before.root, head.root, proof)
            except ProofInvalid as cause:
                message = f"the tree of {size} does not begin with the tree of {before.size} that was signed"
                raise LogDiverged(message) from cause
        return head

    def _write_tiles(self, old: int, new: int) -> None:
        first = old // WIDTH * WIDTH
        with self.connection.cursor() as cursor:
            leaves = list(whole_range(leaves_between(cursor, first, new), first, new))
        self._insist_on_known(first, old, [reached for reached, _ in leaves])
        for at in range(0, len(leaves), WIDTH):
            entries = [data for _, data in leaves[at : at + WIDTH]]
            self.folder.write(entries_path((first + at) // WIDTH, len(entries)), bundle_of(entries))
        hashes, level = [reached for reached, _ in leaves], 0
        while hashes:
            self._write_level(level, first, hashes)
            hashes, first, level, old = self._parents(level, first, hashes, old)

    def _write_level(self, level: int, first: int, hashes: list[bytes]) -> None:
        for at in range(0, len(hashes), WIDTH):
            held = hashes[at : at + WIDTH]
            self.folder.write(Tile(level, (first + at) // WIDTH, len(held)).path(), b"".join(held))

    def _parents(self, level: int, first: int, hashes: list[bytes], old: int) -> tuple[list[bytes], int, int, int]:
        """The hashes of the level above that are in a tile that changes, and the number of the first of them."""
        whole = [hashes[at : at + WIDTH] for at in range(0, len(hashes) - WIDTH + 1, WIDTH)]
        made = [node_hash(*over(tile)[-1]) for tile in whole]
        start, above = first // WIDTH, old // WIDTH
        begin = above // WIDTH * WIDTH
        known = self._known(level + 1, begin // WIDTH, above - begin)
        return (known[: start - begin] + made if made else []), begin, level + 1, above

    def _known(self, level: int, index: int, width: int) -> list[bytes]:
        return split_hashes(self.folder.tile(Tile(level, index, width))) if width else []

    def _insist_on_known(self, first: int, old: int, hashes: list[bytes]) -> None:
        known = self._known(0, first // WIDTH, old - first)
        if known != hashes[: old - first]:
            raise LogDiverged("the newest leaves that were signed are not those that the database holds")

    def _show(self, head: Checkpoint, note: str) -> None:
        self.folder.publish(note)
        self.connection.execute(_REMEMBER, [head.size, note])

    def _clear(self, old: int, *, size: int) -> None:
        """Only now: until this head was signed, the one before it rested on the partial tiles."""
        for tile in tiles_between(old, size):
            if tile.width == WIDTH:
                self.folder.drop_partial(tile.path())
        for index in range(old // WIDTH, size // WIDTH):
            self.folder.drop_partial(entries_path(index))

    def _insist_on_a_new_log(self) -> None:
        found = self.connection.execute("select max(size) from log_head").fetchone()
        if found and found[0] is not None:
            message = f"the database knows of a signed head of {found[0]} leaves, and this data directory of none"
            raise LogDiverged(message)

    def _insist_on_tree(self, head: Checkpoint) -> None:
        """The database's first leaves make the tree that was signed."""
        edge = Frontier()
        while edge.size < head.size:
            past = min(edge.size + _READ, head.size)
            found = self.connection.execute(_HASHES, [edge.size, past]).fetchall()
            if len(found) != past - edge.size:
                message = f"the database holds fewer leaves than the {head.size} that were signed"
                raise LogDiverged(message)
            for (reached,) in found:
                edge.append(bytes(reached))
        if edge.root() != head.root:
            message = f"the first {head.size} leaves in the database are not those that were signed"
            raise LogDiverged(message)

    def _size(self) -> int:
        with self.connection.cursor() as cursor:
            return count_leaves(cursor)
