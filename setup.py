"""Packaging: `everlearn` as a command. Dependencies are locked in requirements/, not declared here."""

from setuptools import find_packages, setup

PACKAGES = ("schemas", "components", "pipelines", "serving", "dags")

setup(
    name="everlearn",
    version="0.1.0",
    description="A recommender that learns every day: Airflow, TFX and TensorFlow Recommenders",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=[name for package in PACKAGES for name in (package, f"{package}.*")]),
    package_dir={"": "."},
    package_data={"schemas": ["*.pbtxt", "expectations/*.json"]},
    entry_points={"console_scripts": ["everlearn = pipelines.cli:main"]},
)
