"""What is remembered of the past: a bounded reservoir of learned rows, and the slice of it that a day learns again."""
