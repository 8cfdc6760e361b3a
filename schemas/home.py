"""Where everything of one deployment lies: the folder EVERLEARN_HOME."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

MODEL_NAME = "everlearn"


@dataclass(frozen=True)
class Home:
    """The state folder; several can live side by side on one machine."""

    root: Path

    @classmethod
    def from_environment(cls) -> Home:
        """`EVERLEARN_HOME`, by default `.everlearn` in the working folder."""
        return cls(Path(os.environ.get("EVERLEARN_HOME", ".everlearn")).absolute())

    @property
    def config(self) -> Path:
        return self.root / "config.yaml"

    @property
    def events(self) -> Path:
        """Day folders `YYYY-MM-DD/ver-N/`."""
        return self.root / "data" / "events"

    @property
    def items(self) -> Path:
        return self.root / "data" / "items.parquet"

    @property
    def users(self) -> Path:
        return self.root / "data" / "users.parquet"

    @property
    def inbox(self) -> Path:
        """Events that the gateway took in, until they are in their day folders."""
        return self.root / "data" / "inbox.sqlite"

    @property
    def pipelines(self) -> Path:
        """TFX pipeline root: every artifact."""
        return self.root / "pipelines"

    @property
    def metadata(self) -> Path:
        """MLMD's SQLite file."""
        return self.root / "metadata.sqlite"

    @property
    def serving(self) -> Path:
        """TF Serving's base path of the model: numbered version folders; the commit point."""
        return self.root / "serving" / MODEL_NAME

    @property
    def mlflow_uri(self) -> str:
        return f"sqlite:///{self.root / 'mlflow.db'}"

    @property
    def mlflow_artifacts(self) -> Path:
        return self.root / "mlartifacts"

    @property
    def airflow(self) -> Path:
        return self.root / "airflow"

    @property
    def run(self) -> Path:
        """Sockets, process ids and locks of what is running."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def broken(self) -> Path:
        """Quality's reports of stretches with broken days, a folder a last day."""
        return self.logs / "quality"

    @property
    def worker_socket(self) -> Path:
        return self.run / "worker.sock"
