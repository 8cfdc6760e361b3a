#!/usr/bin/env bash
# Builds what is missing of the project's environments: tools/environment.sh [pipeline] [airflow]
#
# Needs git, make, a C compiler, pip and some Python 3.8+; nothing outside this folder is changed but uv's
# cache (and uv's own Pythons, where no fitting one is found). Safe to interrupt, to repeat, to run twice at once.
set -euo pipefail
cd "$(dirname "$0")/.."

# Settings of the caller that would change what is built.
unset PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX PIP_USER PIP_REQUIRE_VIRTUALENV || true
export UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-300}" UV_COMPILE_BYTECODE_TIMEOUT="${UV_COMPILE_BYTECODE_TIMEOUT:-600}"
export UV_NO_CONFIG=1

say() { printf '%s\n' "$*" >&2; }

# The pinned uv, as .uv/uv: fetched with any pip, moved into place only when complete.
provide_uv() {
    version=$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' requirements/uv.lock)
    uv=$PWD/.uv/uv
    [ "$(readlink "$uv")" = "$version/bin/uv" ] && [ -x "$uv" ] && return
    say "Fetching uv $version into .uv/ ..."
    rm -rf .uv/partial
    python=
    for candidate in python3 python /usr/bin/python3; do
        if "$candidate" -m pip --version >/dev/null 2>&1; then python=$candidate && break; fi
    done
    [ -n "$python" ] || { say "No Python with pip was found: install python3-pip."; exit 1; }
    export PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1
    "$python" -m pip install --quiet --no-deps --require-hashes --target .uv/partial -r requirements/uv.lock
    rm -rf ".uv/$version"
    mv .uv/partial ".uv/$version"
    ln -sfn "$version/bin/uv" "$uv"
}

# A Python for uv, by version: one of pyenv's where there is one, else what uv finds or fetches.
python_for() {
    found=
    for version in $1; do
        for candidate in "${HOME:-}/.pyenv/versions/$version".*/bin/python; do
            if [ -x "$candidate" ]; then found=$candidate; fi
        done
        if [ -n "$found" ]; then break; fi
    done
    printf '%s' "${found:-$2}"
}

# build FOLDER LOCK PYENV_VERSIONS UV_REQUEST NOTE
# The stamp names the lock that was installed, and by its name where: environments cannot be moved. It goes
# before the first change and comes after the last, so a folder without one is half-built: it is made anew, for
# a half-copied package can look complete.
build() {
    stamp=$1/.built-$(printf '%s' "$PWD" | cksum | cut -d' ' -f1)
    wanted=$(cat "$2" setup.py | sha256sum | cut -d' ' -f1)
    [ -x "$1/bin/python" ] || rm -rf "$1" # also where the Python that it was built on is gone
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return
    say "Building $1 from $2 ($5) ..."
    if [ -f "$stamp" ]; then
        rm "$stamp"
    else
        rm -rf "$1"
        "$uv" venv --quiet --no-project --python "$(python_for "$3" "$4")" "$1"
    fi
    "$uv" pip sync --python "$1/bin/python" --require-hashes --compile-bytecode "$2" 2>&1 |
        { grep -v '^ [+~-] ' >&2 || true; } # not each of 300 names
    site=$("$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    if [ "$1" = .venv ]; then
        "$uv" pip install --quiet --python "$1/bin/python" --no-deps --no-build-isolation --editable .
    else
        printf '%s\n' "$PWD" >"$site/everlearn.pth" # the DAG files' imports, without the command
    fi
    printf '%s\n' "$wanted" >"$stamp"
    say "Built $1."
}

mkdir -p .uv
exec 9>.uv/lock
flock -n 9 || { say "Another build of the environments is running; waiting for it ..." && flock 9; }
provide_uv
for name in ${*:-pipeline airflow}; do
    case $name in
    pipeline) build .venv requirements/pipeline.lock 3.10 3.10 \
        "Python 3.10, 3.5 GB on disk, 1 to 3 minutes with packages cached" ;;
    airflow) build .venv-airflow requirements/airflow.lock "3.11 3.12" ">=3.11,<3.14" \
        "Python 3.11 or newer, less than a minute" ;;
    uv) ;;
    *) say "Unknown environment $name: pipeline or airflow." && exit 2 ;;
    esac
done
