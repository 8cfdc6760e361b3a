"""What people would use instead: refitted every day on all of the past, tuned before the window.

A peer is a module with `fit(past, **settings) -> Scores` and `GRID`, the settings it is tuned over.
"""
