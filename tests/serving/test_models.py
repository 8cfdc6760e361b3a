"""A server with a configuration file: several models, labels, changes while it runs, metrics."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.serving import contract_model, servers


def model(name: str, base: Path, more: str = "") -> str:
    return f'config {{ name: "{name}" base_path: "{base}" model_platform: "tensorflow" {more} }}'


def labels(**versions: int) -> str:
    return " ".join(f'version_labels {{ key: "{key}" value: {value} }}' for key, value in versions.items())


ALL = "model_version_policy { all {} }"


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Model `one` with versions 1 and 2, model `other` with version 7."""
    folder = tmp_path_factory.mktemp("models")
    contract_model.write(folder / "one" / "1", 1)
    contract_model.write(folder / "one" / "2", 2)
    shutil.copytree(folder / "one" / "1", folder / "other" / "7")
    return folder / "one", folder / "other"


@pytest.fixture(scope="module")
def server(bases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Its address, and its configuration file."""
    folder = tmp_path_factory.mktemp("configured")
    config, monitoring = folder / "models.config", folder / "monitoring.config"
    configure(config, model("one", bases[0], ALL), model("other", bases[1]))
    monitoring.write_text("prometheus_config { enable: true }")
    flags = [
        f"--model_config_file={config}",
        "--model_config_file_poll_wait_seconds=0.05",
        f"--monitoring_config_file={monitoring}",
        "--file_system_poll_wait_seconds=0.05",
    ]
    with servers.started(folder / "server", *flags) as running:
        yield running.url, config


def configure(config: Path, *models: str) -> None:
    aside = config.with_suffix(".new")
    aside.write_text(f"model_config_list {{ {' '.join(models)} }}")
    aside.replace(config)


def version(url: str, which: str) -> int | str:
    """The version that answered, or the error."""
    body = {"signature_name": "version", "instances": [1]}
    answer = httpx.post(f"{url}/v1/models/{which}:predict", json=body).json()
    return answer["predictions"][0] if "predictions" in answer else answer["error"]


def test_two_models_and_several_versions(server):
    url, _ = server
    assert version(url, "one") == 2
    assert version(url, "one/versions/1") == 1
    assert version(url, "one/versions/2") == 2
    assert version(url, "other/versions/7") == 1
    assert servers.states(url, "one") == {1: "AVAILABLE", 2: "AVAILABLE"}


def test_changes_while_it_runs(server, bases):
    url, config = server
    one, other = bases
    configure(config, model("one", one, f"{ALL} {labels(stable=1, canary=2)}"), model("other", other))
    servers.wait_for(lambda: version(url, "one/labels/stable") == 1, 10)
    assert version(url, "one/labels/canary") == 2
    assert httpx.get(f"{url}/v1/models/one/labels/stable/metadata").json()["model_spec"]["version"] == "1"

    configure(config, model("one", one, f"{ALL} {labels(stable=9)}"))  # no version 9: changes nothing
    servers.wait_for(lambda: "version 9 of model one" in log(config), 10)
    assert version(url, "one/labels/stable") == 1
    assert version(url, "other") == 1

    config.write_text("model_config_list { config {")  # does not parse: changes nothing
    servers.wait_for(lambda: "does not parse" in log(config), 10)
    assert version(url, "one/labels/stable") == 1

    configure(config, model("one", one, labels(stable=2)))  # version 1 and the other model go
    servers.wait_for(lambda: version(url, "one/labels/stable") == 2, 10)
    servers.wait_for(lambda: servers.states(url, "one") == {1: "END", 2: "AVAILABLE"}, 10)
    assert version(url, "other") == "Servable not found for request: Latest(other)"
    assert version(url, "one/labels/canary") == "Unrecognized servable version label: canary"


def test_a_model_without_a_base_path_is_not_found_and_the_others_go_on(server, bases, tmp_path):
    url, config = server
    late = tmp_path / "late"
    configure(config, model("one", bases[0]), model("late", late))
    servers.wait_for(lambda: f"Could not find base path {late} for servable late" in log(config), 10)
    assert version(url, "late") == "Servable not found for request: Latest(late)"
    assert version(url, "late/versions/1") == "Servable not found for request: Specific(late, 1)"
    for path in ("late", "late/metadata"):
        assert httpx.get(f"{url}/v1/models/{path}").status_code == 404
    assert "Could not find any versions of model late" in httpx.get(f"{url}/v1/models/late").text
    assert version(url, "one") == 2
    (tmp_path / "aside").mkdir()
    shutil.copytree(bases[0] / "1", tmp_path / "aside" / "1")
    (tmp_path / "aside").rename(late)
    servers.wait_for(lambda: version(url, "late") == 1, 10)


def log(config: Path) -> str:
    return (config.parent / "server" / "log").read_text()


def test_metrics(server):
    url, _ = server

    def samples() -> dict[tuple, float]:
        page = httpx.get(f"{url}/monitoring/prometheus/metrics")
        assert page.headers["content-type"].startswith("text/plain")
        assert "request_count_total" not in page.text  # the parser below adds it to every counter
        return {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(page.text)
            for sample in family.samples
        }

    before = samples()
    assert version(url, "one") == 2
    httpx.post(f"{url}/v1/models/one:predict", content="{")
    httpx.post(f"{url}/v1/models/nobody:predict", content="{}")
    after = samples()

    def grown(*key: str) -> float:
        return after.get(key, 0) - before.get(key, 0)

    assert grown(":tensorflow:serving:request_count_total", "OK", "one") == 1
    assert grown(":tensorflow:serving:request_count_total", "INVALID_ARGUMENT", "one") == 1
    assert grown(":tensorflow:serving:request_latency_count", "Predict", "REST", "one") == 1
    assert grown(":everlearn:serving:version_latency_count", "2", "Predict", "one") == 1
    assert not any("nobody" in key for key in after)


def test_labels_in_the_first_configuration_need_permission(bases, tmp_path):
    config = tmp_path / "models.config"
    configure(config, model("one", bases[0], labels(stable=2)))
    with (
        pytest.raises(AssertionError, match="not currently available for inference"),
        servers.started(tmp_path / "refused", f"--model_config_file={config}"),
    ):
        pass
    allowed = "--allow_version_labels_for_unavailable_models"
    with servers.started(tmp_path / "allowed", f"--model_config_file={config}", allowed) as running:
        assert version(running.url, "one/labels/stable") == 2
