"""Wiring: which components make a day, their configuration, how one step or a whole day is run."""
