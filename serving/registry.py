"""The models of one server by name, version and label, as its configuration says."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

import orjson

from serving.config_file import ConfigError, ModelSettings
from serving.errors import invalid, not_found
from serving.model import Model
from serving.signature import metadata
from serving.versions import Versions

log = logging.getLogger(__name__)


class Registry:
    """Finds what a request's path names. Errors are ApiError, in TF Serving's words.

    `configure` and `poll` run in one thread, everything else in any.
    """

    def __init__(self, versions_of: Callable[[ModelSettings], Versions[Model]]) -> None:
        """`versions_of` makes the life cycle of a model that is new in the configuration."""
        self._versions_of = versions_of
        self._models: dict[str, Versions[Model]] = {}
        self._labels: dict[str, dict[str, int]] = {}

    def configure(self, models: Iterable[ModelSettings], *, labels_may_wait: bool = False) -> None:
        """Serves exactly these models from now on.

        ConfigError, and nothing changes, if a label names a version that is not available, unless
        `labels_may_wait`.
        """
        settings = {model.name: model for model in models}
        if not labels_may_wait:
            for name, model in settings.items():
                self._check_labels(name, model)
        for name in self._models.keys() - settings.keys():  # first, so that their memory is free
            removed = self._models[name]
            self._models = {key: value for key, value in self._models.items() if key != name}
            removed.close()
        for name, model in settings.items():
            if name in self._models:
                self._models[name].base_path, self._models[name].policy = model.base_path, model.policy
            else:
                self._models = {**self._models, name: self._versions_of(model)}
        self._labels = {name: dict(model.labels) for name, model in settings.items()}

    def poll(self) -> None:
        """Lets every model look at its base path; one model's trouble is not the others'."""
        for versions in self._models.values():
            _poll(versions)

    @property
    def models(self) -> list[Versions[Model]]:
        return list(self._models.values())

    def knows(self, name: str) -> bool:
        """Whether the configuration has a model of that name."""
        return name in self._models

    def lease(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> AbstractContextManager[tuple[int, Model]]:
        """The version's number and model, kept loaded inside the context."""
        if label is not None:
            version = self._labels.get(name, {}).get(label)
            if version is None:
                raise invalid(f"Unrecognized servable version label: {label}")
        versions = self._models.get(name)
        if versions is None:
            wanted = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise not_found(f"Servable not found for request: {wanted}")
        return versions.lease(version)

    def status(self, name: str, version: int | None) -> dict:
        """The body of a status answer."""
        versions = self._models.get(name)
        if versions is None:
            what = "any versions" if version is None else f"version {version}"
            raise not_found(f"Could not find {what} of model {name}")
        return {"model_version_status": versions.statuses(version)}

    def metadata(self, name: str, version: int | None, label: str | None) -> bytes:
        """The body of a metadata answer."""
        with self.lease(name, version, label) as (number, model):
            return orjson.dumps(metadata(name, number, model.signatures))

    def _check_labels(self, name: str, model: ModelSettings) -> None:
        available = self._models[name].available() if name in self._models else []
        before = self._labels.get(name, {})
        for label, version in model.labels.items():
            if version not in available and before.get(label) != version:
                raise ConfigError(
                    f"Request to assign label {label} to version {version} of model {name}, "
                    "which is not currently available for inference"
                )


def _poll(versions: Versions[Model]) -> None:
    try:
        versions.poll()
    except Exception:  # one model's trouble must not end the polling of the others
        log.exception("Polling %s failed; it is tried again", versions.base_path)
