import pytest

from pipelines import config
from pipelines.config import Config, ConfigError
from schemas.home import Home


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def test_defaults_are_in_force_without_a_file(home):
    assert config.load(home) == Config.compose({})
    assert config.load(home).replay.share == 0.10


def test_a_file_changes_what_it_names(home):
    home.config.write_text("replay:\n  share: 0.25\n")
    assert config.load(home).replay.share == 0.25
    assert config.load(home).replay.capacity == 50_000


def test_a_variable_comes_before_the_file(home, monkeypatch):
    home.config.write_text("replay:\n  share: 0.25\n  cap: 3\n")
    monkeypatch.setenv("EVERLEARN_REPLAY__SHARE", "0.5")
    assert (config.load(home).replay.share, config.load(home).replay.cap) == (0.5, 3)


def test_what_learning_shares_follows_its_owners(home):
    home.config.write_text(
        "features: {holdout_share: 0.2}\nreplay: {share: 0.3}\nevents: {behavior_weights: {click: 0}}\n"
    )
    learn = config.load(home).learn
    assert (learn.holdout_share, learn.replay.share, learn.behavior_weights.click) == (0.2, 0.3, 0)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("replay: {share: 7}", r"replay\.share = 7 is refused: .* less than or equal to 1"),
        ("replay: {shere: 0.1}", r"replay\.shere is no setting"),
        ("reply: {share: 0.1}", r"reply is no setting"),
        ("learn: {holdout_share: 0.2}", r"learn\.holdout_share is refused: set features\.holdout_share"),
        ("replay: [1]", "must hold sections"),
        ("replay: {share: ", "is no YAML"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(home, text, sentence):
    home.config.write_text(text)
    with pytest.raises(ConfigError, match=sentence):
        config.load(home)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("EVERLEARN_REPLAY", "is no setting: name it EVERLEARN_SECTION__FIELD"),
        ("EVERLEARN_REPLAY__SHERE", r"replay\.shere is no setting"),
    ],
)
def test_a_wrong_variable_is_refused_by_name(home, monkeypatch, name, sentence):
    monkeypatch.setenv(name, "0.5")
    with pytest.raises(ConfigError, match=sentence):
        config.load(home)
