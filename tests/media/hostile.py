# SPDX-License-Identifier: Apache-2.0
"""A decoder that was taken over: it tries, each in a child of its own, what no decoder may do.

Run as a script so that it is a fresh process with one thread. It prints one JSON object: the name
of each attempt, and how it ended: "done", the name of an errno, or the name of a signal.

    python hostile.py FOLDER LAYERS [ATTEMPT ...]

LAYERS is `all` for the whole confinement as the server prepares it, `landlock` or `rlimits` for that
layer alone, or `none` to show that an attempt would work: a refusal that happens anyway proves nothing.
"""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import platform
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn

from holdfast.media import sandbox
from holdfast.media.filetype import PICTURES, FileType

MEMORY_BYTES: Final = 1024 * 1024 * 1024
CPU_SECONDS: Final = 1
DONE: Final = 0
NO_ERRNO: Final = 254
OTHER: Final = 255
KILLED: Final = "SIGSYS"

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number_of = ctypes.CDLL("libseccomp.so.2").seccomp_syscall_resolve_name


@dataclass(frozen=True)
class Scene:
    """What an attempt may use: made before the confinement, as a decoder that was taken over might find it."""

    folder: bytes
    file: bytes
    writable: int
    listener: socket.socket
    path: bytes
    own: socket.socket
    starter: int
    code: Any


Attempt = Callable[[Scene], object]


def call(name: str, *arguments: Any) -> int:
    """One system call by its name, past every wrapper of the C library."""
    number = int(number_of(name.encode()))
    if number < 0:
        raise OSError(errno.ENOSYS, name)
    return call_number(number, *arguments)


def call_number(number: int, *arguments: Any) -> int:
    """One system call by its number."""
    raw = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result = int(libc.syscall(ctypes.c_long(number), *raw))
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return result


def by_name(name: str, *arguments: Any) -> Attempt:
    """An attempt that is one system call with fixed arguments."""
    return lambda _scene: call(name, *arguments)


def by_number(number: int, *arguments: Any) -> Attempt:
    """The same by its number."""
    return lambda _scene: call_number(number, *arguments)


def in_child(work: Callable[[], int]) -> int:
    """What a call that may return twice gives the parent; the child ends at once."""
    child = work()
    if child == 0:
        os._exit(DONE)
    return child


AT_FDCWD: Final = -100
O_CREAT: Final = os.O_CREAT | os.O_WRONLY
BEYOND: Final = 10 * 1024**3
CLONE_THREAD: Final = 0x10000
CLONE_VM: Final = 0x100
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWNS: Final = 0x20000


CLONE_HOW: Final = (ctypes.c_uint64 * 8)(0, 0, 0, 0, int(signal.SIGCHLD), 0, 0, 0)
OPEN_TO_READ: Final = (ctypes.c_uint64 * 3)(0, 0, 0)
TRUE: Final = (ctypes.c_char_p * 2)(b"true", None)
NOTHING: Final = (ctypes.c_char_p * 1)(None)


def read_memory(scene: Scene) -> int:
    """Read eight bytes of the process that started this one; they lie where they lie here."""
    here = ctypes.create_string_buffer(8)
    there = (ctypes.c_uint64 * 2)(ctypes.addressof(here), 8)
    into = (ctypes.c_uint64 * 2)(ctypes.addressof(here), 8)
    return call("process_vm_readv", scene.starter, into, 1, there, 1, 0)


def write_memory(scene: Scene) -> int:
    """Write no bytes at all into that process: permission is checked all the same."""
    here = ctypes.create_string_buffer(8)
    there = (ctypes.c_uint64 * 2)(ctypes.addressof(here), 0)
    return call("process_vm_writev", scene.starter, there, 1, there, 1, 0)


def fork(_scene: Scene) -> int:
    """Make another process."""
    return in_child(lambda: call("fork"))


def clone_without_thread(_scene: Scene) -> int:
    """Make another process the way the C library does."""
    return in_child(lambda: call("clone", int(signal.SIGCHLD), 0, 0, 0, 0))


def clone_into_new_user(_scene: Scene) -> int:
    """Make another process that is root in a world of its own."""
    return in_child(lambda: call("clone", int(signal.SIGCHLD) | CLONE_NEWUSER, 0, 0, 0, 0))


def clone3(_scene: Scene) -> int:
    """Make another process the new way."""
    return in_child(lambda: call("clone3", CLONE_HOW, 64))


def address(scene: Scene) -> ctypes.Array[ctypes.c_char]:
    """Where the listener listens, as connect takes it."""
    return ctypes.create_string_buffer(int(socket.AF_UNIX).to_bytes(2, "little") + scene.path + b"\0")


def connect(scene: Scene) -> int:
    """Connect a socket that was open before."""
    there = address(scene)
    return call("connect", scene.own.fileno(), there, ctypes.c_uint32(len(there)))


def connect_out(_scene: Scene) -> None:
    """Make a TCP connection, to a port where nobody listens."""
    with socket.socket() as outgoing:
        outgoing.connect(("127.0.0.1", 9))


def send_descriptor(scene: Scene) -> int:
    """Give a descriptor away."""
    ours, theirs = socket.socketpair() if scene.own.fileno() < 0 else (scene.own, scene.own)
    return socket.send_fds(ours, [b"x"], [theirs.fileno()])


def map_executable(_scene: Scene) -> None:
    """Memory that can be run."""
    mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ | mmap.PROT_EXEC)


def protect_executable(_scene: Scene) -> int:
    """Make memory that was written runnable."""
    page = mmap.mmap(-1, 4096)
    at = ctypes.addressof(ctypes.c_char.from_buffer(page))
    return call("mprotect", at, 4096, mmap.PROT_READ | mmap.PROT_EXEC)


def protect_executable_with_key(_scene: Scene) -> int:
    """The same by another door."""
    page = mmap.mmap(-1, 4096)
    at = ctypes.addressof(ctypes.c_char.from_buffer(page))
    return call("pkey_mprotect", at, 4096, mmap.PROT_READ | mmap.PROT_EXEC, -1)


def take_memory(_scene: Scene) -> None:
    """Take ten times the memory there is."""
    bytearray(BEYOND)


def take_memory_in_pieces(_scene: Scene) -> None:
    """Take it a little at a time."""
    piece = 64 * 1024 * 1024
    kept = [mmap.mmap(-1, piece) for _ in range(BEYOND // piece)]
    del kept


def write_to_file(scene: Scene) -> int:
    """Write to a file that was open before."""
    return os.write(scene.writable, b"x")


def never_end(_scene: Scene) -> NoReturn:
    """Compute for ever."""
    while True:
        pass


def thirty_two_bit_call(scene: Scene) -> int:
    """Ask in the old 32-bit way, whose numbers mean other calls: getpid's is 20."""
    return int(scene.code())


EPERM, EACCES, ENOSYS, ENOMEM = "EPERM", "EACCES", "ENOSYS", "ENOMEM"

# Name: (what it does, how it must end, whether it works for anyone who is not confined).
ATTEMPTS: Final[dict[str, tuple[Attempt, str, bool]]] = {
    # files
    "open": (by_name("openat", AT_FDCWD, b"/etc/passwd", os.O_RDONLY), EPERM, True),
    "open_for_writing": (lambda scene: call("openat", AT_FDCWD, scene.file, os.O_WRONLY), EPERM, True),
    "open_the_old_way": (by_name("open", b"/etc/passwd", os.O_RDONLY), EPERM, True),
    "openat2": (
        by_name("openat2", AT_FDCWD, b"/etc/passwd", OPEN_TO_READ, 24),
        KILLED,
        True,
    ),
    "create_the_old_way": (lambda scene: call("creat", scene.folder + b"/new", 0o600), KILLED, True),
    "create": (lambda scene: call("openat", AT_FDCWD, scene.folder + b"/new", O_CREAT, 0o600), EPERM, True),
    "open_by_handle": (by_name("open_by_handle_at", AT_FDCWD, 0, 0), KILLED, False),
    "unlink": (lambda scene: call("unlink", scene.file), KILLED, True),
    "unlinkat": (lambda scene: call("unlinkat", AT_FDCWD, scene.file, 0), KILLED, True),
    "rename": (lambda scene: call("rename", scene.file, scene.file + b"2"), KILLED, True),
    "renameat2": (lambda scene: call("renameat2", AT_FDCWD, scene.file, AT_FDCWD, scene.file + b"2", 0), KILLED, True),
    "mkdir": (lambda scene: call("mkdir", scene.folder + b"/d", 0o700), KILLED, True),
    "mkdirat": (lambda scene: call("mkdirat", AT_FDCWD, scene.folder + b"/d", 0o700), KILLED, True),
    "mknod": (lambda scene: call("mknodat", AT_FDCWD, scene.folder + b"/p", 0o010600, 0), KILLED, True),
    "symlink": (lambda scene: call("symlink", b"/etc", scene.folder + b"/l"), KILLED, True),
    "link": (lambda scene: call("link", scene.file, scene.folder + b"/h"), KILLED, True),
    "chmod": (lambda scene: call("chmod", scene.file, 0o777), KILLED, True),
    "fchmod": (lambda scene: call("fchmod", scene.writable, 0o777), KILLED, True),
    "chown": (lambda scene: call("chown", scene.file, -1, -1), KILLED, True),
    "truncate": (lambda scene: call("truncate", scene.file, 0), KILLED, True),
    "ftruncate": (lambda scene: call("ftruncate", scene.writable, 0), KILLED, True),
    "stat": (by_name("stat", b"/etc/passwd", ctypes.create_string_buffer(512)), EPERM, True),
    "statx": (by_name("statx", AT_FDCWD, b"/etc/passwd", 0, 0xFFF, ctypes.create_string_buffer(512)), EPERM, True),
    "access": (by_name("access", b"/etc/passwd", 0), EPERM, True),
    "readlink": (by_name("readlink", b"/proc/self/exe", ctypes.create_string_buffer(512), 512), EPERM, True),
    "list_folder": (
        lambda scene: call("getdents64", scene.writable, b"", 0),
        KILLED,
        False,
    ),
    "change_folder": (by_name("chdir", b"/"), KILLED, True),
    "set_attribute": (lambda scene: call("setxattr", scene.file, b"user.x", b"y", 1, 0), KILLED, False),
    "watch": (by_name("inotify_init1", 0), KILLED, True),
    "watch_everything": (by_name("fanotify_init", 0, 0), KILLED, False),
    "duplicate": (lambda scene: call("dup", scene.writable), KILLED, True),
    "map_file_executable": (
        lambda scene: call("mmap", 0, 4096, mmap.PROT_READ | mmap.PROT_EXEC, mmap.MAP_PRIVATE, scene.writable, 0),
        KILLED,
        True,
    ),
    # network
    "socket_inet": (by_name("socket", int(socket.AF_INET), int(socket.SOCK_STREAM), 0), KILLED, True),
    "socket_inet_datagram": (by_name("socket", int(socket.AF_INET), int(socket.SOCK_DGRAM), 0), KILLED, True),
    "socket_inet6": (by_name("socket", int(socket.AF_INET6), int(socket.SOCK_STREAM), 0), KILLED, False),
    "socket_unix": (by_name("socket", int(socket.AF_UNIX), int(socket.SOCK_STREAM), 0), KILLED, True),
    "socket_netlink": (by_name("socket", int(socket.AF_NETLINK), int(socket.SOCK_RAW), 0), KILLED, True),
    "socket_packet": (by_name("socket", int(socket.AF_PACKET), int(socket.SOCK_RAW), 0), KILLED, False),
    "socket_vsock": (by_name("socket", 40, int(socket.SOCK_STREAM), 0), KILLED, False),
    "socketpair": (by_name("socketpair", int(socket.AF_UNIX), 1, 0, (ctypes.c_int * 2)()), KILLED, True),
    "connect": (connect, KILLED, True),
    "connect_out": (connect_out, KILLED, False),
    "bind": (lambda scene: call("bind", scene.own.fileno(), (ctypes.c_short * 1)(1), 2), KILLED, True),
    "listen": (lambda scene: call("listen", scene.listener.fileno(), 1), KILLED, True),
    "accept": (lambda scene: call("accept4", scene.listener.fileno(), 0, 0, os.O_NONBLOCK), KILLED, False),
    "send_descriptor": (send_descriptor, KILLED, False),
    "set_socket_option": (lambda scene: scene.own.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1), KILLED, True),
    # processes
    "fork": (fork, KILLED, True),
    "vfork": (by_name("vfork"), KILLED, False),
    "execve": (by_name("execve", b"/bin/true", TRUE, NOTHING), KILLED, True),
    "execveat": (by_name("execveat", AT_FDCWD, b"/bin/true", TRUE, NOTHING, 0), KILLED, True),
    "clone_without_thread": (clone_without_thread, KILLED, True),
    "clone_with_shared_memory": (by_name("clone", CLONE_VM | int(signal.SIGCHLD), 0, 0, 0, 0), KILLED, False),
    "clone_into_new_user": (clone_into_new_user, KILLED, False),
    "clone3": (clone3, ENOSYS, True),
    "be_traced": (by_name("ptrace", 0, 0, 0, 0), KILLED, True),
    "trace": (lambda scene: call("ptrace", 0x4206, scene.starter, 0, 0), KILLED, False),
    "read_memory": (read_memory, KILLED, False),
    "write_memory": (write_memory, KILLED, False),
    "kill": (lambda scene: call("kill", scene.starter, 0), KILLED, True),
    "tkill": (lambda scene: call("tkill", scene.starter, 0), KILLED, True),
    "tgkill": (lambda scene: call("tgkill", scene.starter, scene.starter, 0), KILLED, True),
    "queue_signal": (lambda scene: call("rt_sigqueueinfo", scene.starter, 0, 0), KILLED, False),
    "pidfd_open": (lambda scene: call("pidfd_open", scene.starter, 0), KILLED, True),
    "pidfd_getfd": (by_name("pidfd_getfd", 0, 0, 0), KILLED, False),
    "pidfd_send_signal": (by_name("pidfd_send_signal", 0, 0, 0, 0), KILLED, False),
    "wait_for_child": (by_name("wait4", -1, 0, os.WNOHANG, 0), KILLED, False),
    "change_priority": (by_name("setpriority", 0, 0, 0), KILLED, True),
    "change_scheduler": (by_name("sched_setattr", 0, 0, 0), KILLED, False),
    # rights
    "setuid": (by_name("setuid", os.getuid()), KILLED, True),
    "setgid": (by_name("setgid", os.getgid()), KILLED, True),
    "setresuid": (by_name("setresuid", -1, -1, -1), KILLED, True),
    "setgroups": (by_name("setgroups", 0, 0), KILLED, False),
    "capset": (by_name("capset", 0, 0), KILLED, False),
    "unshare": (by_name("unshare", 0x200), KILLED, True),
    "unshare_namespaces": (by_name("unshare", CLONE_NEWUSER | CLONE_NEWNS), KILLED, False),
    "setns": (by_name("setns", -1, 0), KILLED, False),
    "mount": (by_name("mount", 0, 0, 0, 0, 0), KILLED, False),
    "move_mount": (by_name("move_mount", -1, 0, -1, 0, 0), KILLED, False),
    "open_tree": (by_name("open_tree", AT_FDCWD, b"/", 0), KILLED, True),
    "unmount": (by_name("umount2", b"/nowhere", 0), KILLED, False),
    "pivot_root": (by_name("pivot_root", b"/nowhere", b"/nowhere"), KILLED, False),
    "chroot": (by_name("chroot", b"/nowhere"), KILLED, False),
    "seccomp": (by_name("seccomp", 0, 0, 0), KILLED, False),
    "prctl": (by_name("prctl", 15, b"sshd", 0, 0, 0), EPERM, True),
    "set_not_dumpable": (by_name("prctl", 4, 0, 0, 0, 0), EPERM, True),
    "arch_prctl": (by_name("arch_prctl", 0x1003, ctypes.create_string_buffer(8)), KILLED, True),
    "personality": (by_name("personality", 0x0400000), KILLED, True),
    "raise_limit": (by_name("prlimit64", 0, 0, (ctypes.c_uint64 * 2)(1000, 1000), 0), EPERM, True),
    "raise_limit_the_old_way": (by_name("setrlimit", 0, (ctypes.c_uint64 * 2)(1000, 1000)), KILLED, True),
    # the kernel's larger doors
    "bpf": (by_name("bpf", 0, 0, 0), KILLED, False),
    "perf_event_open": (by_name("perf_event_open", 0, 0, -1, -1, 0), KILLED, False),
    "keyctl": (by_name("keyctl", 0, -3, 0), KILLED, False),
    "add_key": (by_name("add_key", b"user", b"x", b"y", 1, -3), KILLED, False),
    "request_key": (by_name("request_key", b"user", b"x", 0, -3), KILLED, False),
    "io_uring_setup": (by_name("io_uring_setup", 1, ctypes.create_string_buffer(120)), KILLED, False),
    "io_uring_enter": (by_name("io_uring_enter", -1, 0, 0, 0, 0, 0), KILLED, False),
    "aio": (by_name("io_setup", 1, ctypes.create_string_buffer(8)), KILLED, False),
    "userfaultfd": (by_name("userfaultfd", 1), KILLED, False),
    "memfd_create": (by_name("memfd_create", b"x", 0), KILLED, True),
    "memfd_secret": (by_name("memfd_secret", 0), KILLED, False),
    "eventfd": (by_name("eventfd2", 0, 0), KILLED, True),
    "signalfd": (by_name("signalfd4", -1, ctypes.create_string_buffer(8), 8, 0), KILLED, True),
    "timer": (by_name("timerfd_create", 0, 0), KILLED, True),
    "epoll": (by_name("epoll_create1", 0), KILLED, True),
    "pipe": (by_name("pipe2", (ctypes.c_int * 2)(), 0), KILLED, True),
    "shared_memory": (by_name("shmget", 0, 4096, 0o600 | 0o1000), KILLED, False),
    "message_queue": (by_name("mq_open", b"x", os.O_RDONLY, 0, 0), KILLED, False),
    "semaphore": (by_name("semget", 0, 1, 0o600), KILLED, False),
    "splice": (by_name("splice", -1, 0, -1, 0, 0, 0), KILLED, False),
    "process_madvise": (by_name("process_madvise", -1, 0, 0, 0, 0), KILLED, False),
    "load_module": (by_name("init_module", 0, 0, 0), KILLED, False),
    "load_module_from_file": (by_name("finit_module", -1, 0, 0), KILLED, False),
    "kexec": (by_name("kexec_load", 0, 0, 0, -1), KILLED, False),
    "reboot": (by_name("reboot", 0, 0, 0, 0), KILLED, False),
    "swapon": (by_name("swapon", b"/nowhere", 0), KILLED, False),
    "set_clock": (by_name("clock_settime", -1, 0), KILLED, False),
    "set_host_name": (by_name("sethostname", 0, -1), KILLED, False),
    "read_kernel_log": (by_name("syslog", -1, 0, 0), KILLED, False),
    "terminal_input": (by_name("ioctl", 0, 0x5412, b"x"), EPERM, False),
    "set_owner_of_descriptor": (lambda scene: call("fcntl", scene.own.fileno(), 8, os.getpid()), EPERM, True),
    "leave_landlock": (by_name("landlock_restrict_self", -1, 0), KILLED, False),
    # other ways to ask
    "x32_call": (by_number(0x40000000 | 2, b"/etc/passwd", os.O_RDONLY), KILLED, False),
    # SIGSEGV: the kernel has no such calls at all.
    "thirty_two_bit_call": (thirty_two_bit_call, "SIGSYS or SIGSEGV", False),
    "no_such_call": (by_number(9999), KILLED, False),
    # memory, time and space
    "map_executable": (map_executable, KILLED, True),
    "protect_executable": (protect_executable, KILLED, True),
    "protect_executable_with_key": (protect_executable_with_key, KILLED, True),
    "take_memory": (take_memory, ENOMEM, False),
    "take_memory_in_pieces": (take_memory_in_pieces, ENOMEM, False),
    "write_to_file": (write_to_file, "EFBIG", True),
    "never_end": (never_end, "SIGKILL", False),
}

# What one layer refuses when it stands alone.
ALONE: Final[dict[str, dict[str, str]]] = {
    "landlock": {
        **dict.fromkeys(["open", "open_for_writing", "open_the_old_way", "openat2", "create"], EACCES),
        **dict.fromkeys(["unlink", "rename", "mkdir", "symlink", "truncate", "mknod", "execve"], EACCES),
    },
    "rlimits": {
        "take_memory": ENOMEM,
        "take_memory_in_pieces": ENOMEM,
        "write_to_file": "EFBIG",
        "never_end": "SIGKILL",
    },
}
INTEL_ONLY: Final = frozenset({"x32_call", "thirty_two_bit_call", "arch_prctl"})


def set_scene(folder: Path) -> Scene:
    """Make what the attempts use, anew for each."""
    for name in ("new", "d", "p", "l", "h", "victim2", "socket"):
        left = folder / name
        if left.is_dir() and not left.is_symlink():
            left.rmdir()
        else:
            left.unlink(missing_ok=True)
    victim = folder / "victim"
    victim.write_bytes(bytes(8192))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "socket"))
    listener.listen()
    listener.setblocking(False)
    own = socket.socket(socket.AF_UNIX)
    writable = os.open(victim, os.O_RDWR)
    place = str(folder).encode()
    return Scene(place, place + b"/victim", writable, listener, place + b"/socket", own, os.getppid(), machine_code())


def machine_code() -> Any:
    """A function that makes the 32-bit call number 20: mov eax, 20; int 0x80; ret."""
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))


def confine(layers: str) -> None:
    """Take on the layers asked for."""
    match layers:
        case "all":
            calls = sandbox.program_of_calls()  # as the decoder server does before it forks decoders
            sandbox.confine_decoder(cpu_seconds=CPU_SECONDS, memory_bytes=MEMORY_BYTES, calls=calls)
        case "landlock":
            sandbox.refuse_new_privileges()
            sandbox.restrict_files()
        case "rlimits":
            sandbox.limit_resources(cpu_seconds=CPU_SECONDS, memory_bytes=MEMORY_BYTES)


def live(name: str, folder: Path, layers: str) -> NoReturn:
    """The whole life of a child: set the scene, confine, try, and tell by the status how it went."""
    scene = set_scene(folder)
    confine(layers)
    try:
        ATTEMPTS[name][0](scene)
    except MemoryError:
        os._exit(errno.ENOMEM)
    except OSError as refused:
        os._exit(refused.errno or NO_ERRNO)
    except BaseException:  # noqa: BLE001  # the status tells
        os._exit(OTHER)
    os._exit(DONE)


def decode_all(folder: Path, layers: str) -> NoReturn:
    """Decode a picture of every type in the confinement, as a decoder does: warm, then confined."""
    from holdfast.media import server  # heavy, and only this needs it
    from holdfast.media.image import decode
    from holdfast.media.plane import Decoded
    from holdfast.media.shape import Limits

    pictures = {kind: (folder / kind).read_bytes() for kind in PICTURES}
    server.warm_up()
    confine(layers)
    for kind, picture in pictures.items():
        if not isinstance(decode(picture, kind, Limits(10_000_000)), Decoded):
            os._exit(1 + list(FileType).index(kind))
    os._exit(DONE)


def ended(work: Callable[[], NoReturn]) -> str:
    """How a child that does this ended."""
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(OTHER)  # it could not even be confined
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    code = os.waitstatus_to_exitcode(status)
    return "done" if code == DONE else errno.errorcode.get(code, f"status {code}")


def main() -> None:
    """Try everything named on the command line, or everything."""
    folder, layers, *names = sys.argv[1:]
    found: dict[str, str] = {}
    if names == ["decode"]:
        print(json.dumps({"decode": ended(lambda: decode_all(Path(folder), layers))}))
        return
    for name in names or list(ATTEMPTS):
        if name not in INTEL_ONLY or platform.machine() == "x86_64":
            found[name] = ended(partial(live, name, Path(folder), layers))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
