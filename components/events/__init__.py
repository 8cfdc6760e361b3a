"""Day files → unique typed events, what cannot be used in quarantine, and an account that adds up."""
