"""Features as of the moment: events and the data state before → rows and the data state after."""
