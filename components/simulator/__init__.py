"""A made-up shop with known tastes: days of events, and the best that a recommender can do on them."""
