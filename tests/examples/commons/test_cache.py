# SPDX-License-Identifier: Apache-2.0
"""The cache gives back nothing of another epoch, nothing too old, nothing that was not for everybody."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

from commons.cache import Answer, Cache, Public
from commons.epoch import Epoch
from hypothesis import given
from hypothesis import strategies as st

KEYS = st.sampled_from([("/", ""), ("/p/1", ""), ("/p/1", "x")])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), KEYS, st.integers(0, 30)),
        st.tuples(st.just("get"), KEYS, st.just(0)),
        st.tuples(st.just("grow"), KEYS, st.just(0)),
        st.tuples(st.just("wait"), KEYS, st.integers(1, 3)),
    ),
    max_size=60,
)


def answer(body: bytes, seconds: float = 5.0) -> Answer:
    return Answer(200, [], body, Public(seconds))


@given(STEPS)
def test_only_what_was_put_in_this_epoch_and_in_time_is_given_back(
    steps: list[tuple[str, tuple[str, str], int]],
) -> None:
    cache, epoch, now, kept = Cache(most_bytes=3000), 0, 0.0, dict[tuple[str, str], tuple[int, float, bytes]]()
    for step, key, number in steps:
        if step == "put":
            body = bytes([number]) * number
            cache.put(key, answer(body), epoch=epoch, now=now)
            kept[key] = (epoch, now + 5, body)
        elif step == "grow":
            epoch += 1
        elif step == "wait":
            now += number
        elif found := cache.get(key, epoch=epoch, now=now):
            made_in, until, body = kept[key]
            assert (made_in, found.body) == (epoch, body)
            assert now < until


def test_what_is_not_for_everybody_is_not_kept() -> None:
    cache = Cache()
    cache.put(("/me", ""), Answer(200, [], b"mine"), epoch=1, now=0)
    assert cache.get(("/me", ""), epoch=1, now=0) is None


def test_the_least_used_go_first_and_what_is_too_long_is_not_kept() -> None:
    cache = Cache(most_bytes=10_000)
    for number in range(8):
        cache.put((f"/p/{number}", ""), answer(bytes(1000)), epoch=1, now=0)
        assert cache.get(("/p/0", ""), epoch=1, now=0)
    assert [n for n in range(8) if cache.get((f"/p/{n}", ""), epoch=1, now=0)] == [0, 5, 6, 7]
    cache.put(("/m", ""), answer(bytes(20_000)), epoch=1, now=0)
    assert cache.get(("/m", ""), epoch=1, now=0) is None


def grow(path: Path, times: int) -> None:
    epoch = Epoch(path)
    for _ in range(times):
        epoch.grow()


def test_the_epoch_grows_for_every_process_and_never_falls_back(tmp_path: Path) -> None:
    path = tmp_path / "epoch"
    epoch, context = Epoch(path), multiprocessing.get_context("spawn")
    processes = [context.Process(target=grow, args=(path, 500)) for _ in range(2)]
    for process in processes:
        process.start()
    last = 0
    while any(process.is_alive() for process in processes):
        now = epoch.now
        assert now >= last
        last = now
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert Epoch(path).now == epoch.now == 1000
