"""TF Serving's configuration files, in protobuf's text form: models, metrics, batching."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format, wrappers_pb2
from tensorflow_serving.config import model_server_config_pb2  # type: ignore[import-untyped]

from serving.batching import Batching
from serving.versions import Policy, every, latest, specific

METRICS_PATH = "/monitoring/prometheus/metrics"


class ConfigError(ValueError):
    """A configuration file that cannot be used: one sentence with the file."""


@dataclass(frozen=True)
class ModelSettings:
    """One model to serve."""

    name: str
    base_path: Path
    policy: Policy = field(default_factory=latest)
    labels: Mapping[str, int] = field(default_factory=dict)


def read_models(path: Path) -> list[ModelSettings]:
    """The models of a `ModelServerConfig`; ConfigError if it does not parse or makes no sense."""
    config = _parse(path, model_server_config_pb2.ModelServerConfig())
    if config.WhichOneof("config") != "model_config_list":
        raise ConfigError(f"{path}: model_config_list is missing")
    models = [_model(path, one) for one in config.model_config_list.config]
    names = [model.name for model in models]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{path}: Illegal to list model {name} multiple times in config list")
    return models


def _model(path: Path, config: Any) -> ModelSettings:
    if not config.name or not config.base_path:
        raise ConfigError(f"{path}: every model needs a name and a base_path")
    if config.model_platform != "tensorflow":
        raise ConfigError(f'{path}: model_platform of {config.name} must be "tensorflow"')
    if not Path(config.base_path).is_absolute():
        raise ConfigError(
            f"{path}: Expected model {config.name} to have an absolute path, got {config.base_path}"
        )
    labels = dict(config.version_labels)
    return ModelSettings(config.name, Path(config.base_path), _policy(config.model_version_policy), labels)


def _policy(policy: Any) -> Policy:
    choice = policy.WhichOneof("policy_choice")
    if choice == "all":
        return every
    if choice == "specific":
        return specific(policy.specific.versions)
    return latest(policy.latest.num_versions or 1)


def read_metrics_path(path: Path) -> str | None:
    """Where a `MonitoringConfig` wants Prometheus metrics; None where it does not enable them."""
    config = _parse(path, _monitoring_config()).prometheus_config
    return (config.path or METRICS_PATH) if config.enable else None


def read_batching(path: Path) -> Batching:
    """The `BatchingParameters` of a file; ConfigError if it does not parse or a value makes no sense."""
    config = _parse(path, _batching_parameters())
    given = {name: getattr(config, name).value for name in _BATCHING if config.HasField(name)}
    for name, value in given.items():
        if value < (name != "batch_timeout_micros"):
            raise ConfigError(f"{path}: {name} must be positive; was {value}")
    return Batching(**given)


def _parse(path: Path, message: Any) -> Any:
    try:
        return text_format.Parse(path.read_text(), message)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except text_format.ParseError as error:
        raise ConfigError(f"{path} does not parse: {error}") from None


_KINDS = descriptor_pb2.FieldDescriptorProto
_BATCHING = tuple(one.name for one in fields(Batching))


def _monitoring_config() -> Any:
    """An empty `tensorflow.serving.MonitoringConfig`, which tensorflow-serving-api leaves out."""
    file = descriptor_pb2.FileDescriptorProto(name="monitoring.proto", package="serving", syntax="proto3")
    prometheus = file.message_type.add(name="PrometheusConfig")
    prometheus.field.add(name="enable", number=1, type=_KINDS.TYPE_BOOL, label=_KINDS.LABEL_OPTIONAL)
    prometheus.field.add(name="path", number=2, type=_KINDS.TYPE_STRING, label=_KINDS.LABEL_OPTIONAL)
    _add_message(
        file.message_type.add(name="MonitoringConfig"), "prometheus_config", 1, ".serving.PrometheusConfig"
    )
    return _new(file, "serving.MonitoringConfig")


def _batching_parameters() -> Any:
    """An empty `tensorflow.serving.BatchingParameters`, left out likewise; fields by name, not by number."""
    file = descriptor_pb2.FileDescriptorProto(name="batching.proto", package="serving", syntax="proto3")
    file.dependency.append(wrappers_pb2.DESCRIPTOR.name)
    message = file.message_type.add(name="BatchingParameters")
    for number, name in enumerate(_BATCHING, start=1):
        _add_message(message, name, number, ".google.protobuf.Int64Value")
    _add_message(message, "thread_pool_name", len(_BATCHING) + 1, ".google.protobuf.StringValue")
    return _new(file, "serving.BatchingParameters")


def _add_message(message: Any, name: str, number: int, kind: str) -> None:
    message.field.add(
        name=name, number=number, type=_KINDS.TYPE_MESSAGE, label=_KINDS.LABEL_OPTIONAL, type_name=kind
    )


def _new(file: Any, name: str) -> Any:
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName(name))()
