"""What a run starts from: the data state before it, the base to warm-start, the champion, the unlearned days."""
