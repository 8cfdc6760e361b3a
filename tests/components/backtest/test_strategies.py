import pytest

from components.backtest.strategies import named
from components.trainer.config import LearnConfig

BASE = LearnConfig(seed=7)


def test_default_is_the_settings_in_force() -> None:
    assert named("default").config(BASE) == BASE


def test_a_replay_strategy_replays_the_percentage_it_names() -> None:
    config = named("replay-20").config(BASE)
    new = 400
    assert int(config.replay.cap * new) / (new + int(config.replay.cap * new)) == pytest.approx(0.2)
    assert config.replay.capacity == BASE.replay.capacity


def test_finetune_replays_nothing_and_keeps_all_else() -> None:
    config = named("finetune").config(BASE)
    assert config.replay.share == 0
    assert config.model_copy(update={"replay": BASE.replay}) == BASE


def test_full_and_stale_do_not_learn_daily() -> None:
    assert (named("full-7").daily, named("full-7").retrain_every) == (False, 7)
    assert not named("stale").learns


def test_own_settings_are_typed_and_checked() -> None:
    config = named("slow:later_rate=0.2+replay.share=0.3").config(BASE)
    assert (config.later_rate, config.replay.share) == (0.2, 0.3)
    with pytest.raises(ValueError, match="later_rates"):
        named("odd:later_rates=0.2").config(BASE)


@pytest.mark.parametrize("text", ["nothing", "full-0", "replay-", "x:later_rate"])
def test_what_is_no_strategy_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no strategy|sets nothing"):
        named(text)
