"""PyTorch's side, the same model: python torch_twin.py FOLDER PASSES THREADS. Imports nothing of ours.

Sparse embeddings under Adagrad, dense layers under Adam; batches are made by vectorised operations in the
loader, not row by row.
"""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler

TREND_DAYS = (1, 3, 7, 28)
NEVER = -1e9
Tensors = dict[str, torch.Tensor]


class Rows(Dataset):
    """Rows as batches by number: histories and positives flat, candidates shared by the batch."""

    def __init__(self, arrays: Tensors, settings: dict) -> None:
        self.arrays, self.settings = arrays, settings
        self.items = len(arrays["item:ids"]) - 1

    def __len__(self) -> int:
        return len(self.arrays["bounds"]) - 1

    def __getitem__(self, numbers: list[int]) -> Tensors:
        uniform = torch.randint(1, self.items + 1, [self.settings["uniform_negatives"]], dtype=torch.int32)
        return self.batch(torch.tensor(numbers), uniform, self.settings["unknown_rate"])

    def batch(self, rows: torch.Tensor, uniform: torch.Tensor, unknown: float) -> Tensors:
        arrays = self.arrays
        places, whose = _entries(arrays["history_bounds"], rows)
        history = arrays["history:history"][places]
        at, owner = _entries(arrays["bounds"], rows)
        positive, weight = arrays["taken"][at], arrays["taken_weight"][at]
        candidates = torch.unique(torch.cat([positive, uniform]))
        others = torch.unique(history)
        distinct = torch.cat([candidates, others[~torch.isin(others, candidates)]])
        place = torch.empty(self.items + 1, dtype=torch.int64)
        place[distinct] = torch.arange(len(distinct))
        there, column = place[history], place[positive]
        taken = (there < len(candidates)).nonzero()[:, 0]
        entry = torch.full([len(rows), len(candidates)], -1)
        entry[whose[taken], there[taken]] = taken
        own = entry[owner, column]
        of_history, fresh = torch.zeros(len(history)), own < 0
        of_history[own[~fresh]] = weight[~fresh]
        share = (len(rows) - 1) / max(len(self) - 1, 1)
        absent = (1 - share) ** arrays["takers"][candidates].double() * (1 - 1 / self.items) ** len(uniform)

        def forget(ids: torch.Tensor, rate: float = unknown) -> torch.Tensor:
            return torch.where(torch.rand(ids.shape) < rate, 0, ids) if rate else ids

        who = {name: arrays[f"user:{name}"][rows] for name in ("user", "user_categories", "hour", "weekday")}
        days, day = arrays["days"][rows], arrays["spans"][rows][:, None]
        absent_then = (day < arrays["item:first"][candidates]) | (day > arrays["item:last"][candidates])
        excluded = (entry >= 0) | absent_then
        excluded[owner[fresh], column[fresh]] = True
        distinct_days, day_of = torch.unique(days, return_inverse=True)
        return {
            "owner": whose,
            "history": there,
            **{name: arrays[f"history:{name}"][places] for name in ("times", "first", "last", "decayed")},
            "behavior": forget(arrays["history:behavior"][places]),
            "history_weight": of_history,
            "positive": (owner[fresh], column[fresh]),
            "positive_weight": weight[fresh],
            "excluded": excluded,
            "inclusion": (1 - absent).float(),
            "user": forget(who["user"]),
            "user_categories": forget(who["user_categories"]),
            "user_numbers": arrays["user:user_numbers"][rows],
            "hour": forget(who["hour"], 0.25 if unknown else 0.0),
            "weekday": who["weekday"],
            "item": forget(arrays["item:ids"][distinct]),
            "item_categories": forget(arrays["item:categories"][distinct]),
            "item_numbers": arrays["item:numbers"][distinct],
            "day_of": day_of,
            "candidate_trend": self._trend(distinct_days[:, None], candidates, 1),
            "history_trend": self._trend(days[whose], history, 1),
        }

    def _trend(self, days: torch.Tensor, items: torch.Tensor, axis: int) -> torch.Tensor:
        table = self.arrays["trend"]
        now = table[items, days]
        counted = [torch.log1p(now - table[items, days - back]) for back in TREND_DAYS]
        novel = self.settings["novel_days"]
        age = (days - self.arrays["item:announced"][items]).clamp(0, novel - 1)
        return torch.stack([*counted, torch.log(novel / (1.0 + age))], axis)


def _entries(bounds: torch.Tensor, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    starts, lengths = bounds[rows], bounds[rows + 1] - bounds[rows]
    owner = torch.repeat_interleave(torch.arange(len(rows)), lengths)
    return torch.arange(len(owner)) + (starts - lengths.cumsum(0) + lengths)[owner], owner


class TwoTower(nn.Module):
    """score = <user, item> / temperature + bias + trend term + repeat term."""

    def __init__(self, arrays: Tensors, settings: dict) -> None:
        super().__init__()
        self.settings = settings
        weights = {name[7:]: one for name, one in arrays.items() if name.startswith("weight:")}
        kernels = [name[:-7] for name in weights if name.endswith("/kernel")]
        self.layers = nn.ModuleDict({_key(name): _linear(weights, name) for name in kernels})
        tables = [name for name in weights if name.rpartition("/")[0] not in kernels]
        self.tables = nn.ModuleDict(
            {_key(name): nn.Embedding.from_pretrained(weights[name], False, sparse=True) for name in tables}
        )

    def layer(self, name: str, inputs: torch.Tensor) -> torch.Tensor:
        return self.layers[_key(name)](inputs)

    def rows(self, name: str, ids: torch.Tensor) -> torch.Tensor:
        return self.tables[_key(name)](ids)

    def forward(self, batch: Tensors) -> torch.Tensor:
        """The summed loss."""
        settings, owner = self.settings, batch["owner"]
        represented = self.rows("item/id", batch["item"])
        for place, name in enumerate(settings["item_categories"]):
            represented = represented + self.rows(f"item/feature/{name}", batch["item_categories"][:, place])
        hidden = torch.relu(self.layer("item/hidden", torch.cat([represented, batch["item_numbers"]], 1)))
        vectors = represented + self.layer("item/out", hidden)
        query, trend_weight, activity = self._user(batch, represented)
        scores = query @ vectors.T / settings["temperature"] + self.rows("item/bias", batch["item"])[:, 0]
        shared = scores[:, : len(batch["inclusion"])]
        of_own_day = functional.one_hot(batch["day_of"])[:, :, None] * trend_weight[:, None, :]
        shared = shared + of_own_day.flatten(1) @ batch["candidate_trend"].flatten(0, 1)
        past = scores[owner, batch["history"]] + (trend_weight[owner] * batch["history_trend"]).sum(1)
        kinds = functional.embedding(batch["history"], self.layer("repeat/kind", represented))
        past = past + self._repeat(batch, activity, kinds)
        new = shared - torch.log(batch["inclusion"])
        new = torch.where(batch["excluded"], NEVER, new)
        old = torch.where(batch["history_weight"] <= 0, past, NEVER)
        against_new = torch.logsumexp(new, 1)
        shift = against_new.detach().scatter_reduce(0, owner, old.detach(), "amax")
        summed = torch.zeros(len(new)).index_add(0, owner, torch.exp(old - shift[owner]))
        against = shift + torch.log(torch.exp(against_new - shift) + summed)
        taken, taker = shared[batch["positive"]], batch["positive"][0]
        of_all = (batch["positive_weight"] * functional.softplus(against[taker] - taken)).sum()
        of_all = of_all + (batch["history_weight"] * functional.softplus(against[owner] - past)).sum()
        of_new = (batch["positive_weight"] * functional.softplus(against_new[taker] - taken)).sum()
        return (1 - settings["discovery"]) * of_all + settings["discovery"] * of_new

    def _user(self, batch: Tensors, represented: torch.Tensor) -> tuple[torch.Tensor, ...]:
        owner, rows = batch["owner"], len(batch["user"])
        half_lives = torch.tensor(self.settings["half_lives"])
        decay = torch.exp(-math.log(2) * batch["last"][:, None] / half_lives)
        weight = decay * torch.log1p(batch["times"])[:, None]
        ends = torch.bincount(owner, minlength=rows).cumsum(0)
        offsets = functional.pad(ends[:-1], (1, 0))
        sums = [
            functional.embedding_bag(
                batch["history"], represented, offsets, mode="sum", per_sample_weights=of_bag
            )
            for of_bag in weight.unbind(1)
        ]
        total = torch.zeros(rows, len(half_lives)).index_add(0, owner, weight)
        bags = torch.stack(sums, 1) / (total[..., None] + 0.1)
        moment = self.rows("user/hour", batch["hour"]) + self.rows("user/weekday", batch["weekday"])
        for place, name in enumerate(self.settings["user_categories"]):
            moment = moment + self.rows(f"user/feature/{name}", batch["user_categories"][:, place])
        counted = torch.cat([torch.ones(len(owner), 1), batch["decayed"]], 1)
        activity = torch.log1p(torch.zeros(rows, counted.shape[1]).index_add(0, owner, counted))
        inputs = torch.cat([bags.flatten(1), moment, activity, batch["user_numbers"]], 1)
        hidden = torch.relu(self.layer("user/hidden", inputs))
        query = self.layer("user/out", hidden) + self.layer("user/skip", inputs)
        return query + self.rows("user/id", batch["user"]), self.layer("user/trend", hidden), activity

    def _repeat(self, batch: Tensors, activity: torch.Tensor, kinds: torch.Tensor) -> torch.Tensor:
        decayed = torch.log(batch["decayed"] + self.settings["floor"])
        ages = torch.log1p(torch.stack([batch[name] for name in ("times", "last", "first")], -1))
        spread = activity[batch["owner"]]
        behaviors = self.settings["behaviors"]
        behavior = functional.one_hot(batch["behavior"].long(), 1 + behaviors)[..., 1:].float()
        trends = batch["history_trend"][:, : len(TREND_DAYS)]
        inputs = torch.cat([decayed, ages, spread, trends, behavior], -1)
        hidden = torch.relu(self.layer("repeat/hidden", inputs) + kinds)
        return (self.layer("repeat/linear", inputs) + self.layer("repeat/out", hidden))[:, 0]


def _key(name: str) -> str:
    return name.replace("/", "|").replace(".", "·")


def _linear(weights: Tensors, name: str) -> nn.Linear:
    kernel = weights[f"{name}/kernel"]
    layer = nn.Linear(*kernel.shape)
    layer.weight.data, layer.bias.data = kernel.T.contiguous(), weights[f"{name}/bias"]
    return layer


def measure(folder: Path, passes: int) -> dict[str, float]:
    """Seconds of the first pass and of a later one; the loss of one step here and in TensorFlow."""
    with np.load(folder / "arrays.npz") as file:
        arrays = {name: torch.from_numpy(file[name]) for name in file.files if file[name].ndim}
        expected = float(file["loss"])
    settings = json.loads((folder / "settings.json").read_text())
    started = time.perf_counter()
    torch.manual_seed(0)
    rows, model = Rows(arrays, settings), TwoTower(arrays, settings)
    with torch.no_grad():
        found = float(model(rows.batch(arrays["some"], arrays["uniform"], 0.0)))
    tables = torch.optim.Adagrad(
        model.tables.parameters(), settings["table_rate"], initial_accumulator_value=0.1
    )
    dense = torch.optim.Adam(model.layers.parameters(), settings["dense_rate"])
    sampler = BatchSampler(RandomSampler(rows), settings["batch_rows"], drop_last=False)
    times, cpu = [started], []
    for _ in range(1 + passes):
        for batch in DataLoader(rows, batch_size=None, sampler=sampler):
            tables.zero_grad(set_to_none=True)
            dense.zero_grad(set_to_none=True)
            model(batch).backward()
            tables.step()
            dense.step()
        times.append(time.perf_counter())
        cpu.append(time.process_time())
    later = (times[-1] - times[1]) / passes
    return {
        "first": times[1] - times[0],
        "later": later,
        "cpu": (cpu[-1] - cpu[0]) / passes,
        "loss": found,
        "loss_in_tensorflow": expected,
    }


if __name__ == "__main__":
    # Threads wait for each other by spinning: where others want the cores too, one is faster than two.
    torch.set_num_threads(int(sys.argv[3]))
    print(json.dumps(measure(Path(sys.argv[1]), int(sys.argv[2]))))
