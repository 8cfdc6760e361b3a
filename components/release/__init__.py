"""What will be served next: the blessed candidate, or the champion's unchanged weights with today's data state."""
