"""What the repository promises about itself."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("schemas", "components", "pipelines", "serving", "dags", "benchmarks", "tests")
LOCKS = ("pipeline", "airflow", "uv")


def modules() -> list[Path]:
    return [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]


def versions(lock: str) -> dict[str, str]:
    return dict(
        re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "requirements" / f"{lock}.lock").read_text(), re.M)
    )


def test_no_module_is_too_long_to_read() -> None:
    too_long = {path.name: n for path in modules() if (n := len(path.read_text().splitlines())) > 400}
    assert not too_long


def test_dag_files_stay_thin() -> None:
    too_long = {
        p.name: n for p in (ROOT / "dags").glob("*.py") if (n := len(p.read_text().splitlines())) >= 100
    }
    assert not too_long


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_hold_every_requirement_with_hashes_and_no_local_path(lock: str) -> None:
    wanted = (ROOT / "requirements" / f"{lock}.in").read_text()
    names = {name.lower() for name in re.findall(r"^([A-Za-z0-9-]+)", wanted, re.M)}
    assert names <= set(versions(lock))
    text = (ROOT / "requirements" / f"{lock}.lock").read_text()
    assert len(re.findall(r"^\S+==\S+.*\\\n +--hash=sha256:", text, re.M)) == len(versions(lock))
    assert not re.search(r"(^|[ =])/|file:", text, re.M)


def test_keras_2_is_of_tensorflows_minor() -> None:
    locked = versions("pipeline")
    assert locked["tf-keras"].split(".")[:2] == locked["tensorflow"].split(".")[:2]


def test_make_help_names_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (targets,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.M)
    assert set(targets.split()) == set(re.findall(r"^([a-z-]+):.*  ## ", makefile, re.M))


def test_the_readme_of_tests_names_every_marker() -> None:
    markers = re.findall(r'^    "(\w+): ', (ROOT / "pyproject.toml").read_text(), re.M)
    told = (ROOT / "tests" / "README.md").read_text()
    assert markers
    assert [marker for marker in markers if f"`{marker}`" not in told] == []
