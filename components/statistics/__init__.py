"""TFDV's statistics of the rows of a stretch, without Beam."""
