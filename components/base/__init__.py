"""What a run starts from: data state, base, champion, and the days that are not learned yet."""
