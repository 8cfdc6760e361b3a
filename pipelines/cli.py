"""`everlearn`: bring data in, bootstrap, learn a day, serve, ask, look."""

from __future__ import annotations

import os
import sys

import typer
from rich.console import Console
from rich.markup import escape

from pipelines import environment
from pipelines.commands import (
    backtesting,
    demo,
    gateway,
    importing,
    running,
    schema,
    serving,
    simulating,
    stack,
    status,
    versions,
)

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Keeps a recommender fresh every day without letting it forget. State lies under EVERLEARN_HOME.",
)
app.add_typer(importing.app, name="import", help="Bring an event log in.")
app.add_typer(schema.app, name="schema", help="The data contract.")
for group in (running, serving, gateway, simulating, status, versions, stack, demo, backtesting):
    app.registered_commands.extend(group.app.registered_commands)


def main() -> None:
    """Entry point: a known error is one sentence on stderr and exit status 1."""
    environment.prepare()
    try:
        status_code = app(standalone_mode=False) or 0
    except typer.Exit as leave:
        status_code = leave.exit_code
    except (typer.Abort, KeyboardInterrupt):
        status_code = 130
    except typer._click.exceptions.UsageError as error:
        error.show()
        status_code = 2
    except (ValueError, RuntimeError, OSError) as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"[red]error:[/] {escape(str(error))}")
        status_code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status_code)  # tearing TensorFlow and Beam down in order takes seconds and changes nothing


if __name__ == "__main__":
    main()
