"""TF Serving's configuration files."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving.config_file import METRICS_PATH, ConfigError, read_metrics_path, read_models

MODEL = 'name: "a" base_path: "/models/a" model_platform: "tensorflow"'


def config(folder: Path, *models: str) -> Path:
    path = folder / "models.config"
    path.write_text("model_config_list {" + "".join(f" config {{ {model} }}" for model in models) + " }")
    return path


@pytest.mark.parametrize(
    ("policy", "served"),
    [
        ("", [5]),
        ("model_version_policy { latest { num_versions: 2 } }", [3, 5]),
        ("model_version_policy { all {} }", [1, 3, 5]),
        ("model_version_policy { specific { versions: 1 versions: 4 } }", [1]),
    ],
)
def test_policies(tmp_path, policy, served):
    (model,) = read_models(config(tmp_path, f"{MODEL} {policy}"))
    assert model.policy([1, 3, 5]) == served


def test_models_and_labels(tmp_path):
    labels = 'version_labels { key: "stable" value: 3 } version_labels { key: "canary" value: 5 }'
    other = 'name: "b" base_path: "/models/b" model_platform: "tensorflow"'
    first, second = read_models(config(tmp_path, f"{MODEL} {labels}", other))
    assert (first.name, first.base_path) == ("a", Path("/models/a"))
    assert first.labels == {"stable": 3, "canary": 5}
    assert second.labels == {}


@pytest.mark.parametrize(
    ("models", "words"),
    [
        (['name: "a"'], "needs a name and a base_path"),
        ([MODEL, MODEL], "Illegal to list model a multiple times"),
        ([MODEL.replace("tensorflow", "other")], "model_platform of a"),
        ([MODEL.replace("/models", "models")], "absolute path"),
        (["nonsense: 5"], "does not parse"),
    ],
)
def test_refused(tmp_path, models, words):
    with pytest.raises(ConfigError, match=words):
        read_models(config(tmp_path, *models))


def test_missing_files_and_lists(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_models(tmp_path / "no")
    (tmp_path / "empty").write_text("")
    with pytest.raises(ConfigError, match="model_config_list is missing"):
        read_models(tmp_path / "empty")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", None),
        ("prometheus_config { path: '/metrics' }", None),
        ("prometheus_config { enable: true }", METRICS_PATH),
        ("prometheus_config { enable: true path: '/metrics' }", "/metrics"),
    ],
)
def test_monitoring(tmp_path, text, path):
    (tmp_path / "monitoring").write_text(text)
    assert read_metrics_path(tmp_path / "monitoring") == path
