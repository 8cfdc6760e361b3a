"""Keeping what is served equal to what lies on disk: polls base paths and the configuration file."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from serving.config_file import ConfigError, read_models
from serving.registry import Registry

log = logging.getLogger(__name__)

_STARTING_POLL_SECONDS = 0.2
_FOREVER = float("inf")


class Keeper:
    """One thread's work: `wait_until_available`, then `run`."""

    def __init__(
        self,
        registry: Registry,
        *,
        poll_seconds: float,
        config_file: Path | None = None,
        config_seconds: float = 0.0,
        labels_may_wait: bool = False,
    ) -> None:
        """Times as TF Serving's flags: base paths 0 once, negative never; configuration 0 never again."""
        self._registry = registry
        self._poll_seconds = poll_seconds if poll_seconds > 0 else _FOREVER
        self._config_file = config_file
        self._config_seconds = config_seconds if config_file and config_seconds > 0 else _FOREVER
        self._labels_may_wait = labels_may_wait

    def wait_until_available(self) -> str:
        """Loads until every model can answer, as TF Serving does before its port opens.

        "" then; a reason if one of them never will.
        """
        told = False
        while True:
            self._registry.poll()
            waiting = [versions for versions in self._registry.models if not versions.available()]
            if not waiting:
                return ""
            for versions in waiting:
                if failed := versions.failed():
                    return f"{versions.name}: version {failed[-1].number}: {failed[-1].error}"
                if self._poll_seconds == _FOREVER and not versions.loading():
                    return f"{versions.name}: no versions under {versions.base_path}"
            if not told:
                told = True
                for versions in waiting:
                    log.info("Waiting for a version of %s under %s", versions.name, versions.base_path)
            time.sleep(min(self._poll_seconds, _STARTING_POLL_SECONDS))

    def run(self) -> None:
        """For ever."""
        next_poll = time.monotonic() + self._poll_seconds
        next_config = time.monotonic() + self._config_seconds
        while min(next_poll, next_config) < _FOREVER:
            time.sleep(max(0.0, min(next_poll, next_config) - time.monotonic()))
            if time.monotonic() >= next_config:
                self._read_config()
                next_config = time.monotonic() + self._config_seconds
            if time.monotonic() >= next_poll:
                self._registry.poll()
                next_poll = time.monotonic() + self._poll_seconds

    def _read_config(self) -> None:
        """Applies the file as it is now; one that is no good changes nothing."""
        assert self._config_file
        try:
            models = read_models(self._config_file)
            self._registry.configure(models, labels_may_wait=self._labels_may_wait)
            self._registry.poll()
        except ConfigError as error:
            log.error("The configuration stays as it was: %s", error)
        except Exception:  # polling must outlive whatever one look met
            log.exception("The configuration stays as it was")
