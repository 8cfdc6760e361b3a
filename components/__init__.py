"""One folder a TFX component: a thin wrapper (`component.py`) beside plain logic that knows no TFX."""
