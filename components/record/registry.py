"""MLflow's model registry: a version a candidate, aliases `challenger` and `champion`."""

from __future__ import annotations

from pathlib import Path

from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.tracking import MlflowClient
from mlflow.types.schema import Array, ColSpec, DataType, Schema

from schemas.home import MODEL_NAME

CHAMPION, CHALLENGER = "champion", "challenger"
MODEL_URI, SERVED_AS = "model_uri", "served_version"
"""Tags of a registered version: the Model artifact it stands for, the serving version that holds it."""

SIGNATURE = ModelSignature(
    inputs=Schema([ColSpec(DataType.string, "user_id")]),
    outputs=Schema([ColSpec(Array(DataType.string), "item_id"), ColSpec(Array(DataType.double), "score")]),
)


def log_and_register(model: Path, saved_model: Path, tags: dict[str, str]) -> str:
    """Log the thin pyfunc into the active run and register it; returns the registered version's number.

    model: folder of the Model artifact, by which a push finds the version again.
    """
    import mlflow

    info = mlflow.pyfunc.log_model(
        name="model",
        python_model=str(Path(__file__).with_name("served_model.py")),
        model_config={"saved_model": str(saved_model)},
        signature=SIGNATURE,
        pip_requirements=["tensorflow", "tf-keras", "mlflow"],
    )
    client = MlflowClient()
    try:
        client.create_registered_model(MODEL_NAME, description="Recommends items; learns every day.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    run = mlflow.active_run().info.run_id
    version = client.create_model_version(
        MODEL_NAME, info.model_uri, run, tags={MODEL_URI: str(model), **tags}, model_id=info.model_id
    ).version
    client.set_registered_model_alias(MODEL_NAME, CHALLENGER, version)
    return str(version)


def move_champion(mlflow_uri: str, model_uri: str, served_as: int) -> str | None:
    """Set the alias `champion` to the newest registered version of that model; None if there is none.

    model_uri: folder of the Model artifact; served_as: the serving version that holds it.
    """
    client = MlflowClient(mlflow_uri)
    registered = client.search_model_versions(f"name = '{MODEL_NAME}' and tag.{MODEL_URI} = '{model_uri}'")
    if not registered:
        return None
    version = str(max(int(one.version) for one in registered))
    client.set_registered_model_alias(MODEL_NAME, CHAMPION, version)
    client.set_model_version_tag(MODEL_NAME, version, SERVED_AS, str(served_as))
    return version
