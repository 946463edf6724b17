# SPDX-License-Identifier: Apache-2.0
"""Thorn's perception as a peer, in an environment of its own: it insists on versions that the others do not bear.

Reads files from standard input, each after its length in four bytes, and answers each with a line:
its PDQ hash as 64 hexadecimal digits, or a dash if perception cannot read it. Imports nothing of ours.
"""

import io
import struct
import sys

import numpy as np
from perception.hashers import PDQHash

_LENGTH = struct.Struct("<I")


def main() -> None:
    """Answer until the input ends."""
    hasher = PDQHash()
    while length := sys.stdin.buffer.read(_LENGTH.size):
        print(_answer(hasher, sys.stdin.buffer.read(_LENGTH.unpack(length)[0])), flush=True)


def _answer(hasher: PDQHash, file: bytes) -> str:
    try:
        bits = hasher.compute(io.BytesIO(file), hash_format="vector")
    except Exception:  # noqa: BLE001  # whatever it raises over a file: it cannot read it
        return "-"
    return np.packbits(bits).tobytes().hex()


if __name__ == "__main__":
    main()
