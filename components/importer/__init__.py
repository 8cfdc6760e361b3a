"""Any event log → day folders, an item table and a user table."""
