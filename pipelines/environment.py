"""Process-wide switches that must be set before TensorFlow is imported. Standard library only."""

import logging
import os
import warnings

SWITCHES = {
    "TF_USE_LEGACY_KERAS": "1",  # tensorflow-recommenders is written for Keras 2
    "TF_CPP_MIN_LOG_LEVEL": "3",  # notes on missing GPUs; real errors come as exceptions
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}


def prepare() -> None:
    """Sets the switches that the user has not set."""
    for name, value in SWITCHES.items():
        os.environ.setdefault(name, value)
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", message=".*An input example was not provided")


def quieten() -> None:
    """What libraries say of themselves at every step is no news to a user; their errors are."""
    logging.disable(logging.WARNING)
