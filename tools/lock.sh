#!/bin/sh
# Resolves requirements/*.in into *.lock, keeping every version that still fits: tools/lock.sh [uv options]
# e.g. tools/lock.sh --upgrade-package ruff
set -eu
cd "$(dirname "$0")/.."

compile() {
    name=$1 && shift
    .uv/uv pip compile --quiet --generate-hashes --custom-compile-command "make lock" \
        "requirements/$name.in" -o "requirements/$name.lock" "$@"
}

compile pipeline --python .venv/bin/python "$@"
compile airflow --universal --python .venv-airflow/bin/python --python-version 3.11 "$@"
compile uv --universal --python .venv/bin/python "$@"
