"""Infra validation: the model server answers with what will be pushed, before it is pushed."""
