"""The one commit point: a version exists from the rename that makes its folder appear."""
