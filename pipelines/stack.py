"""`make up` and `make down`: Airflow, MLflow, the model server and the warm worker of one state folder.

python -m pipelines.stack up|down|status
python -m pipelines.stack airflow ARGUMENTS…    any Airflow command on this deployment
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import psutil

from pipelines import services as known
from pipelines import supervise
from pipelines.processes import REPOSITORY
from pipelines.services import AIRFLOW_USER, Ports, airflow_environment, airflow_password
from pipelines.supervised import running
from schemas.home import Home

AIRFLOW = (known.API, "airflow-dags", "airflow-scheduler")
ALL = (*AIRFLOW, "worker", "mlflow", "model-server", *known.STORES, "gateway")
HEALTHY_SECONDS = 180.0

Say = Callable[[str], None]


class StackError(RuntimeError):
    """A stack that does not come up; the sentence names the service and its log."""


def up(home: Home, services: Sequence[str] = ALL, say: Say = print) -> Ports:
    """Starts what is not running yet; says and returns where it answers once every service is healthy.

    With all of it up already nothing is touched. StackError where a service does not become healthy.
    """
    if not is_up(home, services):
        there = running(home)
        wanted = [name for name in ALL if name in {*services, *there}]
        down(home, say=_nothing)
        _start(home, wanted, say)
    ports = addresses_of(home)
    _wait(home, ports, list(services), say)
    for line in addresses(home, services):
        say(line)
    return ports


def down(home: Home, say: Say = print) -> None:
    """Stops every process of this home's stack; harmless where there is none."""
    members = _members(home)
    supervisors = [process for process in members if _is_supervisor(process)]
    for process in supervisors:
        process.terminate()
    psutil.wait_procs(supervisors, timeout=supervise.STOP_SECONDS + 5)
    while left := _members(home):  # all that is left where a supervisor was killed before
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=5)
    say(f"Stopped {len(members)} processes." if members else "Nothing was running.")


def status(home: Home) -> dict[str, str]:
    """The state of every service by name: healthy, starting or down."""
    there = running(home)
    listed = known.services(home, addresses_of(home))
    return {
        name: "down" if name not in there else "healthy" if service.healthy() else "starting"
        for name, service in listed.items()
    }


def is_up(home: Home, services: Sequence[str] = ALL) -> bool:
    """Whether these services are supervised at the moment (healthy or not)."""
    return set(services) <= set(running(home))


def addresses_of(home: Home) -> Ports:
    """Where the stack answers, or answered the last time."""
    return Ports.read(home) or Ports()


def addresses(home: Home, services: Sequence[str] = ALL) -> list[str]:
    """A line for each thing to look at, with the login that Airflow was given."""
    ports = addresses_of(home)
    login = f"user {AIRFLOW_USER}, password {airflow_password(home)}"
    lines = {
        known.API: f"Airflow       {ports.airflow_url}  ({login})",
        "mlflow": f"MLflow        {ports.mlflow_url}",
        "model-server": f"Model server  {ports.model_url}",
        "gateway": f"Gateway       {ports.gateway_url}/docs",
    }
    return [line for name, line in lines.items() if name in services]


def _start(home: Home, names: list[str], say: Say) -> None:
    for folder in (home.run, home.logs, home.airflow, home.serving, home.mlflow_artifacts):
        folder.mkdir(parents=True, exist_ok=True)
    Ports.free(home).write(home)
    if set(names) & set(AIRFLOW):
        airflow_password(home)
        say("Airflow: bringing its database up to date.")
        done = airflow(home, ["db", "migrate"], capture=True)
        if done.returncode:
            raise StackError(f"Airflow's database: {done.stdout.strip().splitlines()[-1]}")
    with (home.logs / "supervisor.log").open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "pipelines.supervise", str(home.root), *names],
            cwd=REPOSITORY,
            env=os.environ | {known.MARK: str(home.root)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def airflow(home: Home, arguments: list[str], *, capture: bool = False) -> subprocess.CompletedProcess[str]:
    """Runs an Airflow command on this home's deployment."""
    return subprocess.run(
        [str(known.AIRFLOW_BIN / "airflow"), *arguments],
        env=airflow_environment(home, addresses_of(home)),
        stdout=subprocess.PIPE if capture else None,
        stderr=subprocess.STDOUT if capture else None,
        text=True,
        check=False,
    )


def _wait(home: Home, ports: Ports, names: list[str], say: Say) -> None:
    listed = known.services(home, ports)
    started = told = time.monotonic()
    waiting = list(names)
    while waiting:
        for name in list(waiting):
            if listed[name].healthy():
                waiting.remove(name)
                told = time.monotonic()
                say(f"{name}: healthy after {told - started:.0f} s")
        if time.monotonic() - started > HEALTHY_SECONDS:
            raise StackError(
                f"{waiting[0]} is not healthy after {HEALTHY_SECONDS:.0f} s: see {home.logs / waiting[0]}.log"
            )
        if time.monotonic() - told > 10:
            told = time.monotonic()
            say(f"still waiting for {', '.join(waiting)} ({told - started:.0f} s)")
        time.sleep(0.2)


def _members(home: Home) -> list[psutil.Process]:
    """Every process that belongs to this home's stack, whoever its parent is by now."""
    return [one for one in psutil.process_iter() if one.pid != os.getpid() and _belongs(one, home)]


def _belongs(process: psutil.Process, home: Home) -> bool:
    try:
        return process.environ().get(known.MARK) == str(home.root)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def _is_supervisor(process: psutil.Process) -> bool:
    try:
        return "pipelines.supervise" in process.cmdline()
    except psutil.NoSuchProcess:
        return False


def _nothing(_: str) -> None:
    pass


def main(argv: list[str]) -> int:
    home = Home.from_environment()
    match argv:
        case ["up", *names]:
            try:
                up(home, names or ALL)
            except (StackError, OSError) as error:
                print(error, file=sys.stderr)
                return 1
        case ["down"]:
            down(home)
        case ["status"]:
            for name, state in status(home).items():
                print(f"{name:18} {state}")
        case ["airflow", *arguments]:
            return airflow(home, arguments).returncode
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
