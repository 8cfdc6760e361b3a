"""What a row is worth: shares of a day, replay, items seen a few times, days of five events."""

from pipelines import environment

environment.prepare()
