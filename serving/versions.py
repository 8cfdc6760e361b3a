"""The life cycle of a model's versions: found on disk, loaded aside, switched to, drained, unloaded."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from serving.errors import ApiError, Code, code_of, not_found

log = logging.getLogger(__name__)

Loaded = TypeVar("Loaded")
MAX_VERSION = 2**63 - 1


class State(Enum):
    """TF Serving's names."""

    START = "START"
    LOADING = "LOADING"
    AVAILABLE = "AVAILABLE"
    UNLOADING = "UNLOADING"
    END = "END"


class Policy(Protocol):
    """Which of the versions on disk (ascending) should be served."""

    def __call__(self, found: list[int]) -> list[int]: ...


def latest(count: int = 1) -> Policy:
    """The `count` highest versions."""
    return lambda found: found[-count:]


def every(found: list[int]) -> list[int]:
    """All versions."""
    return found


def specific(numbers: Iterable[int]) -> Policy:
    """These versions, those that exist."""
    wanted = set(numbers)
    return lambda found: [number for number in found if number in wanted]


def on_disk(base_path: Path) -> list[int]:
    """The versions under a base path, ascending: folders named by an integer count, nothing else does."""
    if not base_path.is_dir():
        return []
    names = (entry.name for entry in base_path.iterdir() if entry.name.isdecimal() and entry.is_dir())
    return sorted({int(name) for name in names if int(name) <= MAX_VERSION})


@dataclass
class Version(Generic[Loaded]):
    """One version and what became of it."""

    number: int
    state: State = State.START
    error: str = ""
    code: Code = Code.OK
    model: Loaded | None = None
    failures: int = 0
    retry_at: float = 0.0
    given_up: bool = False
    users: int = 0
    """Requests that run on it at this moment."""
    idle: threading.Event = field(default_factory=threading.Event)

    def status(self) -> dict:
        """As a status answer lists it."""
        return {
            "version": str(self.number),
            "state": self.state.value,
            "status": {"error_code": self.code.name, "error_message": self.error},
        }


class Versions(Generic[Loaded]):
    """All versions of one model. `poll` runs in one thread, everything else in any."""

    def __init__(
        self,
        name: str,
        base_path: Path,
        load: Callable[[Path], Loaded],
        *,
        policy: Policy | None = None,
        retries: int = 5,
        retry_seconds: float = 60.0,
        drain_seconds: float = 60.0,
    ) -> None:
        self.name = name
        self.base_path = base_path
        self.policy = policy or latest()
        self._load = load
        self._retries = retries
        self._retry_seconds = retry_seconds
        self._drain_seconds = drain_seconds
        self._versions: dict[int, Version[Loaded]] = {}
        self._lock = threading.Lock()
        self._told = ""

    def poll(self) -> None:
        """Looks at the base path once: loads what should be served, then lets go of what should not.

        A base path that is not there changes nothing: it may only be out of reach.
        """
        if not self.base_path.is_dir():
            self._tell_once(f"Could not find base path {self.base_path} for servable {self.name}")
            return
        found = on_disk(self.base_path)
        if found:
            self._told = ""
        else:
            self._tell_once(
                f"No versions of servable {self.name} found under base path {self.base_path}. Did you forget "
                "to name your leaf directory as a number (eg. '/1/')?"
            )
        wanted = self.policy(found)
        for number in wanted:
            self._want(number)
        available = any(self._state(number) is State.AVAILABLE for number in wanted)
        for version in list(self._versions.values()):
            if version.number in wanted:
                continue
            if version.state is State.AVAILABLE:
                if available or not wanted:  # the old one serves until a new one does
                    self._retire(version)
            else:  # failed, or failing and tried no more; wanted again it starts anew
                version.state, version.given_up = State.END, True

    def close(self) -> None:
        """Takes every version out of traffic and frees it once it is idle."""
        for version in list(self._versions.values()):
            if version.state is State.AVAILABLE:
                self._retire(version)

    def failed(self) -> list[Version[Loaded]]:
        """Versions that ended with an error."""
        return [v for v in self._versions.values() if v.state is State.END and v.error]

    def loading(self) -> list[int]:
        """Versions that are not available yet and are still tried."""
        return [v.number for v in self._versions.values() if v.state in (State.START, State.LOADING)]

    def available(self) -> list[int]:
        """The numbers that take traffic, ascending."""
        with self._lock:
            return sorted(v.number for v in self._versions.values() if v.state is State.AVAILABLE)

    def statuses(self, number: int | None = None) -> list[dict]:
        """Newest first; of one version if `number` is given. ApiError 404 if there is nothing to tell."""
        with self._lock:
            if number is None:
                found = [self._versions[key].status() for key in sorted(self._versions, reverse=True)]
                if not found:
                    raise not_found(f"Could not find any versions of model {self.name}")
                return found
            if number not in self._versions:
                raise not_found(f"Could not find version {number} of model {self.name}")
            return [self._versions[number].status()]

    @contextmanager
    def lease(self, number: int | None = None) -> Iterator[tuple[int, Loaded]]:
        """The version that takes traffic (the latest by default), kept loaded while it is used."""
        with self._lock:
            version = self._pick(number)
            version.users += 1
            version.idle.clear()
        try:
            assert version.model is not None  # set before AVAILABLE, cleared after the last user left
            yield version.number, version.model
        finally:
            with self._lock:
                version.users -= 1
                if not version.users:
                    version.idle.set()

    def _pick(self, number: int | None) -> Version[Loaded]:
        if number is None:
            ready = [v for v in self._versions.values() if v.state is State.AVAILABLE]
            if ready:
                return max(ready, key=lambda version: version.number)
            raise not_found(f"Servable not found for request: Latest({self.name})")
        version = self._versions.get(number)
        if version is None or version.state is not State.AVAILABLE:
            raise not_found(f"Servable not found for request: Specific({self.name}, {number})")
        return version

    def _state(self, number: int) -> State | None:
        version = self._versions.get(number)
        return version.state if version else None

    def _want(self, number: int) -> None:
        """Loads a version unless it is there, has failed for good, or waits for its next try."""
        version = self._versions.get(number)
        if version is None or version.given_up:
            version = Version(number)
            version.idle.set()
            with self._lock:
                self._versions[number] = version
        if version.state not in (State.START, State.LOADING) or time.monotonic() < version.retry_at:
            return
        version.state = State.LOADING
        started = time.monotonic()
        try:
            model = self._load(self.base_path / self._folder(number))
        except Exception as error:  # whatever a broken folder makes TensorFlow raise is that version's end
            self._failed(version, error)
            return
        with self._lock:
            version.model, version.error, version.code = model, "", Code.OK
            version.state = State.AVAILABLE
        log.info("%s: version %d is available after %.2f s", self.name, number, time.monotonic() - started)

    def _failed(self, version: Version[Loaded], error: Exception) -> None:
        version.failures += 1
        version.code = _code(error)
        version.error = (str(error).strip() or type(error).__name__).splitlines()[0]
        version.retry_at = time.monotonic() + self._retry_seconds
        if version.failures > self._retries:
            version.state = State.END
        log.error("%s: version %d does not load: %s", self.name, version.number, version.error)

    def _retire(self, version: Version[Loaded]) -> None:
        """Takes a version out of traffic, waits for its last request, frees it."""
        with self._lock:
            version.state = State.UNLOADING
        if not version.idle.wait(self._drain_seconds):
            log.warning("%s: version %d is unloaded with requests still running", self.name, version.number)
        version.model, version.state, version.given_up = None, State.END, True
        log.info("%s: version %d is unloaded", self.name, version.number)

    def _tell_once(self, words: str) -> None:
        """Not at every poll."""
        if words != self._told:
            log.warning("%s", words)
        self._told = words

    def _folder(self, number: int) -> str:
        """The folder's own name: it may have leading zeros."""
        if (self.base_path / str(number)).is_dir():
            return str(number)
        return next(e.name for e in self.base_path.iterdir() if e.name.isdecimal() and int(e.name) == number)


def _code(error: Exception) -> Code:
    """As TF Serving would classify what made a load fail."""
    if isinstance(error, ApiError):
        return error.code
    if isinstance(error, FileNotFoundError):
        return Code.NOT_FOUND
    return code_of(getattr(error, "error_code", None))  # TensorFlow's errors have a number
