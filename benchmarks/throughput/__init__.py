"""Rows a second of the training step, beside what one would write with Keras or PyTorch."""

from pipelines import environment

environment.prepare()
