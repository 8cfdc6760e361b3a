"""The models of one server by name, version and label."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager

import orjson

from serving.errors import invalid, not_found
from serving.model import Model
from serving.signature import metadata
from serving.versions import Versions


class Registry:
    """Finds what a request's path names. Errors are ApiError, in TF Serving's words."""

    def __init__(
        self,
        models: Mapping[str, Versions[Model]],
        labels: Mapping[str, Mapping[str, int]] | None = None,
    ) -> None:
        """`labels`: model name -> label -> version."""
        self._models = dict(models)
        self._labels = dict(labels or {})

    def lease(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> AbstractContextManager[tuple[int, Model]]:
        """The version's number and model, kept loaded inside the context."""
        if label is not None:
            version = self._labels.get(name, {}).get(label)
            if version is None:
                raise invalid(f"Unrecognized servable version label: {label}")
        if name not in self._models:
            wanted = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise not_found(f"Servable not found for request: {wanted}")
        return self._models[name].lease(version)

    def status(self, name: str, version: int | None) -> dict:
        """The body of a status answer."""
        if name not in self._models:
            what = "any versions" if version is None else f"version {version}"
            raise not_found(f"Could not find {what} of model {name}")
        return {"model_version_status": self._models[name].statuses(version)}

    def metadata(self, name: str, version: int | None, label: str | None) -> bytes:
        """The body of a metadata answer."""
        with self.lease(name, version, label) as (number, model):
            return orjson.dumps(metadata(name, number, model.signatures))
