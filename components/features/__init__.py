"""Features as of the moment: events and the data state before them → training rows and the data state after."""
