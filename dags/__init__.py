"""DAG files: what runs when. They import the standard library, Airflow and `pipelines.anatomy` only."""
