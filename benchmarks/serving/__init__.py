"""What the model server adds to a raw model call, beside peers; switches, starts, and the product itself."""
