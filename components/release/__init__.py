"""What is served next: the blessed candidate, or the champion's weights with today's data state."""
