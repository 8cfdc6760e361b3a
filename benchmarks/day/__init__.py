"""One 4,000-event day by a plain TFX pipeline, by `everlearn run` and by Airflow, side by side."""
