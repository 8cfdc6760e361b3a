"""Which of a home's services run at the moment, and so whom a push waits for."""

from __future__ import annotations

import fcntl
from pathlib import Path

from components.pusher.config import PusherConfig
from pipelines.services import MODEL_SERVER, Ports
from schemas.home import Home


def lock_file(home: Home) -> Path:
    """Held by the supervisor while it lives; holds the names of its services."""
    return home.run / "stack.lock"


def running(home: Home) -> list[str]:
    """The services of this home that are supervised at the moment; none where no supervisor lives."""
    file = lock_file(home)
    if not file.exists():
        return []
    with file.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return lock.read().split()
    return []


def pushing(home: Home, configured: PusherConfig) -> PusherConfig:
    """With the model server of `everlearn up` as the one to wait for, where it runs and no other is named.

    Of a stack that is down the port may be another program's by now.
    """
    ports = Ports.read(home)
    if configured.serving_url or ports is None or MODEL_SERVER not in running(home):
        return configured
    return configured.model_copy(update={"serving_url": ports.server_url})
