"""TFDV's comparators: how far a day's rows lie from those of earlier days."""
