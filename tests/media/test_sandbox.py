# SPDX-License-Identifier: Apache-2.0
"""A decoder that was taken over can do nothing but answer; each attempt is made for real, in a process of its own."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from holdfast.media import sandbox
from holdfast.media.filetype import PICTURES, FileType
from tests.media import hostile
from tests.pictures import encoded, natural

PRESENT = {layer.name for layer in sandbox.layers() if layer.present}
FREE = [name for name, (_, _, works) in hostile.ATTEMPTS.items() if works]

needs_seccomp = pytest.mark.skipif("seccomp" not in PRESENT, reason="libseccomp is not installed")
needs_landlock = pytest.mark.skipif("landlock" not in PRESENT, reason="this kernel has no Landlock")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def outcomes(folder: Path, layers: str, *names: str) -> Mapping[str, str]:
    """How attempts ended, made by a fresh process with one thread."""
    command = [sys.executable, hostile.__file__, str(folder), layers, *names]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, timeout=120)
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def confined(folder: Path) -> Mapping[str, str]:
    return outcomes(folder, "all")


@pytest.fixture(scope="module")
def free(folder: Path) -> Mapping[str, str]:
    return outcomes(folder, "none", *FREE)


def expected(name: str, how: str) -> list[str]:
    if name in hostile.INTEL_ONLY and platform.machine() != "x86_64":
        pytest.skip("only on this processor")
    return how.split(" or ")


@needs_seccomp
@pytest.mark.parametrize("name", hostile.ATTEMPTS)
def test_a_decoder_that_was_taken_over_cannot(name: str, confined: Mapping[str, str]) -> None:
    assert confined[name] in expected(name, hostile.ATTEMPTS[name][1])


@pytest.mark.parametrize("name", FREE)
def test_without_the_sandbox_anyone_can(name: str, free: Mapping[str, str]) -> None:
    """Else the refusal above would prove nothing."""
    expected(name, "")
    if free[name] == "ENOSYS":
        pytest.skip("this kernel has no such call")
    assert free[name] == "done"


@needs_seccomp
@needs_landlock
@pytest.mark.parametrize("name", hostile.ALONE["landlock"])
def test_landlock_alone_keeps_files_from_a_decoder(name: str, folder: Path) -> None:
    assert outcomes(folder, "landlock", name)[name] == hostile.ALONE["landlock"][name]


@pytest.mark.skipif(sandbox.landlock_version() < 4, reason="this kernel's Landlock does not know the network")
def test_landlock_alone_keeps_a_decoder_from_tcp(folder: Path) -> None:
    assert outcomes(folder, "none", "connect_out")["connect_out"] == "ECONNREFUSED"
    assert outcomes(folder, "landlock", "connect_out")["connect_out"] == "EACCES"


@pytest.mark.parametrize("name", hostile.ALONE["rlimits"])
def test_limits_alone_bound_memory_space_and_time(name: str, folder: Path) -> None:
    assert outcomes(folder, "rlimits", name)[name] == hostile.ALONE["rlimits"][name]


@needs_seccomp
@pytest.mark.parametrize("layers", ["none", "all"])
def test_a_picture_of_every_type_decodes_in_the_very_same_confinement(layers: str, folder: Path) -> None:
    for kind in PICTURES:
        large = natural(200, 250) if kind is FileType.ICO else natural(600, 700)
        (folder / kind).write_bytes(encoded(large, kind))
    assert outcomes(folder, layers, "decode") == {"decode": "done"}


def test_every_layer_says_what_its_absence_means() -> None:
    assert {layer.name for layer in sandbox.layers()} == {"rlimits", "seccomp", "landlock", "own uid"}
    assert all(layer.without_it for layer in sandbox.layers() if layer.name != "rlimits")


def test_no_call_is_both_allowed_and_refused() -> None:
    assert not set(sandbox.ALLOWED_CALLS) & set(sandbox.REFUSED_QUIETLY)
