"""What is remembered of the past: a reservoir of learned rows, and the slice that a day learns again."""
