# SPDX-License-Identifier: Apache-2.0
"""The layers that confine a decoder, behind one module: rlimits, Landlock, seccomp, no new privileges.

`confine_server` is for the process that forks decoders: it may still fork, but opens no file.
`confine_decoder` is for the child that reads one upload: it may read its file, compute, start
threads (AVIF needs them) and answer; everything else kills it. Layers add up and none can be taken
off again. `layers` says which of them this kernel offers.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import signal
from dataclasses import dataclass
from typing import ClassVar, Final

_PR_SET_SECCOMP: Final = 22
_SECCOMP_MODE_FILTER: Final = 2
_BPF_INSTRUCTION_BYTES: Final = 8
_PR_SET_NO_NEW_PRIVS: Final = 38
_LANDLOCK_CREATE_RULESET: Final = 444
_LANDLOCK_RESTRICT_SELF: Final = 446
_LANDLOCK_VERSION_FLAG: Final = 1
_CLONE_THREAD: Final = 0x10000
_PROT_EXEC: Final = 0x4
# Rights known to each Landlock version (files; from 4 on also TCP bind and connect).
_FILE_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_NETWORK_RIGHTS: Final = 0b11
_FIRST_NETWORK_VERSION: Final = 4

ALLOWED_CALLS: Final = (
    "read", "pread64", "write", "recvmsg", "recvfrom", "sendto", "close", "shutdown", "poll", "ppoll", "lseek",
    "munmap", "mremap", "madvise", "brk", "futex", "set_robust_list", "rseq",
    "rt_sigreturn", "rt_sigprocmask", "rt_sigaction", "sigaltstack",
    "clock_gettime", "clock_nanosleep", "nanosleep", "gettimeofday", "sched_yield", "sched_getaffinity",
    "getrandom", "getpid", "gettid", "exit", "exit_group", "restart_syscall",
    "setitimer",  # a decoder of videos ends itself when the time of this one is over
)  # fmt: skip
REFUSED_QUIETLY: Final = (
    "openat", "open", "stat", "lstat", "fstat", "newfstatat", "statx", "access", "faccessat", "faccessat2", "readlink",
    "getcwd", "ioctl", "fcntl", "prlimit64", "getrlimit", "sysinfo", "uname", "prctl", "membarrier",
    "sched_setaffinity", "set_mempolicy", "mbind", "get_mempolicy",
)  # fmt: skip
"""Calls that libraries make in passing and live without: refused, not fatal."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of confinement, whether this machine offers it, and what its absence means."""

    name: str
    present: bool
    without_it: str


def layers() -> tuple[Layer, ...]:
    """Which layers this machine offers."""
    return (
        Layer("rlimits", present=True, without_it=""),
        Layer("seccomp", _has_seccomp(), "a decoder that was taken over could open files and connections"),
        Layer("landlock", landlock_version() > 0, "only seccomp keeps a decoder that was taken over from files"),
        Layer(
            "own uid",
            os.geteuid() == 0,
            "decoders run as the same user as the server; run the server as root to separate them",
        ),
    )


def landlock_version() -> int:
    """The Landlock version of this kernel, 0 if it has none."""
    found = ctypes.CDLL(None).syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), _LANDLOCK_VERSION_FLAG)
    return max(0, int(found))


def limit_resources(*, cpu_seconds: int, memory_bytes: int) -> None:
    """No core dumps, no files written, few descriptors, bounded CPU time and address space."""
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 16),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_AS, memory_bytes),
    ):
        resource.setrlimit(limit, (value, value))


def refuse_new_privileges() -> None:
    """No later exec may gain rights; both Landlock and seccomp need this without root."""
    _check(ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")


def restrict_files() -> bool:
    """Landlock: from now on no file may be opened and no TCP connection made. False if the kernel has none."""
    version = landlock_version()
    if version < 1:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    network = _NETWORK_RIGHTS if version >= _FIRST_NETWORK_VERSION else 0
    handled = (ctypes.c_uint64 * 2)((1 << _FILE_RIGHTS[min(version, 5)]) - 1, network)
    size = ctypes.c_size_t(16 if network else 8)
    ruleset = libc.syscall(_LANDLOCK_CREATE_RULESET, handled, size, 0)
    _check(ruleset, "landlock ruleset")
    _check(libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0), "landlock")
    os.close(ruleset)
    return True


def program_of_calls() -> bytes | None:
    """The seccomp program that lets only the calls through that decoding takes. None if libseccomp is not installed.

    Putting it together takes some fifteen milliseconds and loading it none, so one is made for all decoders.
    """
    if not _has_seccomp():
        return None
    import pyseccomp as seccomp  # noqa: PLC0415  # importing it fails where libseccomp2 is not installed

    rules = seccomp.SyscallFilter(seccomp.KILL_PROCESS)
    for name in ALLOWED_CALLS:
        rules.add_rule(seccomp.ALLOW, name)
    for name in REFUSED_QUIETLY:
        rules.add_rule(seccomp.ERRNO(errno.EPERM), name)
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    rules.add_rule(seccomp.ALLOW, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, _CLONE_THREAD, _CLONE_THREAD))
    for name in ("mmap", "mprotect"):
        rules.add_rule(seccomp.ALLOW, name, seccomp.Arg(2, seccomp.MASKED_EQ, _PROT_EXEC, 0))
    with os.fdopen(os.memfd_create("calls"), "w+b") as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def restrict_calls(program: bytes) -> None:
    """Seccomp: from now on only the calls that `program` lets through, for this process and all its threads."""
    instructions = ctypes.create_string_buffer(program, len(program))
    count = len(program) // _BPF_INSTRUCTION_BYTES
    loaded = _Program(count, ctypes.cast(instructions, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(loaded), 0, 0), "seccomp")


def confine_decoder(*, cpu_seconds: int, memory_bytes: int, calls: bytes | None) -> None:
    """Everything at once, for a process that is about to read one upload; seccomp if there is a program for it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    limit_resources(cpu_seconds=cpu_seconds, memory_bytes=memory_bytes)
    refuse_new_privileges()
    restrict_files()
    if calls is not None:
        restrict_calls(calls)


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_: ClassVar = [("count", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


def _has_seccomp() -> bool:
    try:
        import pyseccomp  # noqa: F401, PLC0415  # it loads libseccomp when imported
    except (ImportError, OSError, RuntimeError):
        return False
    return True


def _check(result: int, what: str) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), what)
