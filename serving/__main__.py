"""`python -m serving --model_name=… --model_base_path=…`."""

import sys

# What TensorFlow imports where it is installed and a model server never uses: half of the start-up time.
for optional in ("keras", "tf_keras", "h5py", "googleapiclient"):
    sys.modules[optional] = None  # type: ignore[assignment]

from serving.cli import run  # noqa: E402

run()
