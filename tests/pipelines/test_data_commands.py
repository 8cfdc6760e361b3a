"""The data commands as they are typed: flags and a mapping file, the summary, and days of a made-up shop."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from schemas.home import Home

LOG = """who;what;when;did
a;1;2024-03-05T02:00:00Z;look
a;1;2024-03-05T03:00:00Z;pv
;2;2024-03-05T03:00:00Z;pv
"""


@pytest.fixture
def run():
    """Runs a command line and returns what it prints; an error of ours is raised."""

    def call(*arguments):
        done = CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    return call


def test_a_mapping_file_and_flags_over_it(run, tmp_path):
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "map.yaml").write_text(
        "user: who\nitem: what\ntimestamp: when\nbehavior: wrong\ntime_zone: America/New_York\n"
    )
    (tmp_path / "items.csv").write_text("id,colour,price\n1,red,-1\n")
    arguments = [
        "import",
        "csv",
        tmp_path / "log.csv",
        "--mapping",
        tmp_path / "map.yaml",
        "--behavior",
        "did",
    ]
    told = run(*arguments, "--behavior-map", "look=cart", "--items", tmp_path / "items.csv")
    assert "2 events of 1 users and 1 items on 1 days of America/New_York (2024-03-04 to 2024-03-04)" in told
    assert "behaviour cart: 1" in told
    assert "repeats matter: 50.0%" in told
    assert "the item table describes 100%" in told
    assert "--skip-guests --replace" in told
    assert "taken as missing" in told
    (quarantine,) = (Home.from_environment().events.parent / "quarantine").iterdir()
    quarantine.write_text(quarantine.read_text().replace('"missing",,', '"missing","b",'))
    assert "1 rows mended; 1 days written" in run("import", "quarantine", quarantine)


def test_tables_can_be_brought_in_alone(run, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("a;größe;nr\nx;1,5;007\n".encode("latin-1"))
    settings = ("--encoding", "latin-1", "--decimal", ",")
    assert "items: 1" in run("import", "items", path, "--id", "nr", *settings)
    assert pq.read_table(Home.from_environment().items).to_pylist() == [
        {"item_id": "007", "a": "x", "größe": 1.5}
    ]
    assert "users: 1" in run("import", "users", path, *settings)
    assert pq.read_table(Home.from_environment().users)["user_id"].to_pylist() == ["x"]


def test_a_shop_is_simulated_and_its_days_are_not_ingested_yet(run):
    told = run("simulate", "--days", 2, "--users", 20, "--items", 40, "--events-per-day", 100)
    assert "2 days written" in told
    assert "best possible recall@20" in told
    assert "0 days written" in run(
        "simulate", "--days", 2, "--users", 20, "--items", 40, "--events-per-day", 100
    )
    assert "2024-01-02 is delivered and not ingested yet" in run("status", "--date", "2024-01-02")


def test_a_behaviour_map_needs_an_equals_sign(run, tmp_path):
    (tmp_path / "log.csv").write_text(LOG)
    with pytest.raises(ValueError, match="write it as pv=click"):
        run("import", "csv", tmp_path / "log.csv", "--behavior-map", "pv")
