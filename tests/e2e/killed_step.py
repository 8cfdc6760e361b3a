"""The real step, killed at a moment that a test asks for; what the warm worker forks in `test_kills`."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

from pipelines import step

MIDDLE, UNNOTED, UNTOLD = "in its middle", "done, not noted", "noted, not told"
"""So many seconds after its work began (before its end is noted, whatever comes first); when its work is done
and MLMD does not know; when MLMD knows and who asked does not."""
PUBLISHING = ("publish_succeeded_execution", "publish_cached_executions", "publish_internal_execution")


def order_kill(home: Path, moment: str, seconds: float = 0.0) -> None:
    """The next node of that state folder will be killed."""
    _order(home).write_text(json.dumps([moment, seconds]))


def main(argv: list[str]) -> int:
    """`pipelines.step.main`; a node of which a kill was ordered does not come back."""
    order = _order(Path(os.environ["EVERLEARN_HOME"]))
    if argv[0] != "node" or not order.exists():
        return step.main(argv)
    moment, seconds = json.loads(order.read_text())
    order.unlink()
    if moment != UNTOLD:
        _arm(seconds if moment == MIDDLE else None)
    step.main(argv)
    return _die()


def _order(home: Path) -> Path:
    return home / "kill the next node"


def _arm(seconds: float | None) -> None:
    """In this process TFX's launcher meets its end: at the latest where it would note that a node is done."""
    from tfx.orchestration.portable import execution_publish_utils, launcher

    for name in PUBLISHING:
        setattr(execution_publish_utils, name, _die)
    run_executor = launcher.Launcher._run_executor

    def run_executor_and_die(self: Any, information: Any) -> Any:
        if seconds is not None:
            threading.Timer(seconds, _die).start()
        done = run_executor(self, information)
        for (output,) in information.output_dict.values():
            Path(output.uri, "half made").touch()  # such as a library writes under a name of its own first
        return done

    launcher.Launcher._run_executor = run_executor_and_die


def _die(*_: Any, **__: Any) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 1
