"""Days in bad order and processes killed, one after another, with every promise checked after each day."""
