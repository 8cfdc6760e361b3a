"""One MLflow run a day, complete before anything is pushed: what was learned, judged and decided, and why."""
