"""A step without TFX, for tests of what runs steps: it tells, fails, hangs, dies or leaves a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def main(argv: list[str]) -> int:
    match argv:
        case ["plan", *rest]:
            day = rest[rest.index("--span") + 1]
            print(json.dumps({"run_id": f"run of {day}", "skip": "", "argv": rest}))
        case ["node", "--run", run, node]:
            print(f"running {node}")
            hang_once = Path(os.environ["EVERLEARN_HOME"]) / f"hang in {node}"
            if hang_once.exists():
                hang_once.rename(hang_once.with_suffix(".pid")).write_text(f"{os.getpid()}")
                time.sleep(60)
            told = {"Gate": {"blessing": VERDICT}, "Pusher": {"pushed": {"version": 7}}}.get(node, {})
            run_id = json.loads(run)["run_id"]
            print(json.dumps({"node": node, "run_id": run_id, "state": "complete", **told}))
        case ["tell", *words]:
            print(*words)
            print("on the other stream", file=sys.stderr)
            print(json.dumps({"words": words, "home": os.environ["EVERLEARN_HOME"], "parent": os.getppid()}))
        case ["fail", sentence]:
            print(json.dumps({"half": "done"}))
            print(sentence, file=sys.stderr)
            return 1
        case ["raise", sentence]:
            raise ValueError(sentence)
        case ["hang", pid_file]:
            Path(pid_file).write_text(f"{os.getpid()}")
            time.sleep(60)
        case ["die"]:
            os.kill(os.getpid(), signal.SIGKILL)
        case ["leave", pid_file]:
            left = subprocess.Popen(["sleep", "60"])
            Path(pid_file).write_text(f"{left.pid}")
            print(json.dumps({}))
    return 0


VERDICT = {"status": "rejected", "reasons": ["old tasks lost 12%"], "blessed": False}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
