"""Small things that processes here share: dying with a parent, a socket's address, a file read by others."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def die_with_parent(how: int = signal.SIGKILL) -> None:
    """From now on the kernel sends this process `how` when the thread that started it ends (Linux)."""
    _libc.prctl(_PR_SET_PDEATHSIG, int(how), 0, 0, 0)


def write_whole(file: Path, text: str, mode: int = 0o666) -> None:
    """Replaces a file in one step: nobody ever reads half of it. mode: of the file, less the umask."""
    aside = file.with_suffix(".new")
    aside.touch(mode)
    aside.write_text(text)
    aside.replace(file)


@contextlib.contextmanager
def socket_address(path: Path) -> Iterator[str]:
    """An address of the unix socket `path` that fits the kernel's 107 bytes however deep its folder lies."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def kill_group(leader: int, how: int = signal.SIGKILL) -> None:
    """Sends `how` to a process and all that it started in its group; no error where none is left."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, how)
