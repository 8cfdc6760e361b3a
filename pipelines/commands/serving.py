"""`everlearn serve`, `everlearn recommend`: the model server and a question to it."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pipelines import config as settings
from pipelines.services import Ports
from schemas.home import MODEL_NAME, Home

app = typer.Typer()
console = Console(highlight=False)


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="REST port on the loopback interface")] = 8501,
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
) -> None:
    """Serve the pushed versions over TF Serving's REST API until interrupted."""
    home = Home.from_environment()
    arguments = [sys.executable, "-m", "serving", "--model_name", MODEL_NAME]
    arguments += ["--model_base_path", str(home.serving), "--rest_api_port", str(port), "--host", host]
    os.execv(sys.executable, arguments)  # noqa: S606 - our own program takes this process over


@app.command()
def recommend(
    user: Annotated[str, typer.Argument(help="A user id; none for somebody unknown")] = "",
    recent: Annotated[
        list[str] | None, typer.Option("--recent", help="A recent item; repeat, newest last")
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many items to show")] = 10,
    url: Annotated[
        str | None, typer.Option(help="The server's address; by default that of `everlearn up` or `serve`")
    ] = None,
) -> None:
    """Ask the running model server for a list; prints names beside ids."""
    from serving import client

    home = Home.from_environment()
    url = url or settings.load(home).pusher.serving_url or (Ports.read(home) or Ports()).server_url
    answer = client.recommend_recent(url, recent) if recent else client.recommend(url, user)
    show(home, answer, k)


def show(home: Home, answer: list[tuple[str, float]], k: int) -> None:
    """Prints the first k of an answer with item names."""
    names = item_names(home)
    table = Table("rank", "item", "name", "score")
    for rank, (item, score) in enumerate(answer[:k], start=1):
        table.add_row(str(rank), item, names.get(item, ""), f"{score:.3f}")
    console.print(table)


def item_names(home: Home) -> dict[str, str]:
    """Display names by item id, where the item table has them."""
    import pyarrow.parquet as pq

    if not home.items.exists() or "name" not in pq.read_schema(home.items).names:
        return {}
    items = pq.read_table(home.items, columns=["item_id", "name"]).to_pydict()
    return dict(zip(items["item_id"], (name or "" for name in items["name"]), strict=True))
