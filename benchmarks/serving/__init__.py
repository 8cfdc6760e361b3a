"""What the model server adds to a raw model call, and what batching and a switch do under load."""
