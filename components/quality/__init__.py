"""Great Expectations on the raw days, before anything is learned from them."""
