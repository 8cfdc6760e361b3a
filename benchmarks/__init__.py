"""Measurements that the README's figures come from; each is one command."""
