"""Data contracts: what an event, a row, a span, a served version look like. No behaviour lives here."""
