"""`python -m serving --model_name=… --model_base_path=…`."""

from serving.cli import run

run()
