"""Proof from the artifacts: events learned first exactly once, held-out rows never, no look ahead."""
