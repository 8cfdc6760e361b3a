"""The model: what it is, how it learns from a base and new rows, how it scores and how it is served."""
