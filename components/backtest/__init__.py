"""Walking forward through a user's own log: every day is scored before it is learned, by every line alike."""
