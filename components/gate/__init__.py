"""May the candidate be served? Proven harm rejects; everything else is blessed and says how sure it is."""
