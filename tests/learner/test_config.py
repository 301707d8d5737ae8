"""The hash of a configuration covers what enters state, and nothing else."""

from dataclasses import fields

import pytest

from learner.config import Config
from learner.learner import Learner
from stream import records
from stream.errors import SettingError
from stream.mapping import FieldMap

OTHERS = {
    "model": "softmax",
    "policy": "none",
    "detector": "ddm",
    "direction": "any",
    "scaling": "minmax",
    "grain": 8,
    "grain_seconds": 60.0,
    "classes": (0, 1),
    "seed": 2,
    "max_pending": 10,
    "max_jump": 60.0,
    "pending_seconds": 3600.0,
    "max_parameters": 10_000,
    "challengers": ({"name": "tree", "model": "hoeffding-tree"},),
    "promotion": "rule",
    "topic": "orders",
    "mapping": FieldMap(y="paid"),
    "watch_inputs": 20,
}


def test_every_field_has_another_value_below():
    """So that no new setting is forgotten here."""
    assert OTHERS.keys() == {field.name for field in fields(Config)}


@pytest.mark.parametrize("name", OTHERS)
def test_every_setting_is_in_the_hash(name):
    """A state made with another value is another state."""
    rest = {"challengers": OTHERS["challengers"]} if name == "promotion" else {}
    assert Config(**rest, **{name: OTHERS[name]}).hash != Config(**rest).hash


def test_equal_settings_have_equal_hashes():
    """However they were written: in another order, or by leaving out what is the default."""
    table = {"class": "river.linear_model.LogisticRegression", "l2": 0.1}
    turned = {"l2": 0.1, "class": "river.linear_model.LogisticRegression"}

    assert Config(model=table).hash == Config(model=turned).hash
    assert Config().hash == Config(model="logistic", detector="adwin", seed=1).hash
    assert Config(policy="none").hash == Config(policy="none", detector="none").hash
    assert Config(challengers=(), promotion="none").hash == Config().hash
    assert Config(classes=("a", "b")).hash == Config(classes=["a", "b"]).hash


def test_the_hash_is_the_same_in_every_version():
    """It stands in checkpoints and messages, so it changes only when states do."""
    sgd = Config(model="sgd", policy="none", grain=5, classes=("a", "b"), seed=7)
    orders = Config(topic="orders", mapping=FieldMap(id="id", y="y"))

    assert Config().hash == "6571567cf98e4b01"
    assert sgd.hash == "211f64e630a584c5"
    assert orders.hash == "6fdb38b12105948d"


def test_classes_of_another_type_are_other_classes():
    """The text "1" is not the number."""
    assert Config(classes=(0, 1)).hash != Config(classes=("0", "1")).hash


def test_the_limits_of_a_record_are_in_the_hash(monkeypatch):
    """What is a dead letter under one limit is learned under another."""
    before = Config().hash
    monkeypatch.setattr("learner.config.MAX_FIELDS", records.MAX_FIELDS + 1)

    assert Config().hash != before


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"grain": 0}, "grain must be a whole number from 1 to 1000000, got 0"),
        ({"grain_seconds": 0.0}, "grain_seconds must be above 0, got 0.0"),
        ({"grain_seconds": float("nan")}, "grain_seconds must be above 0, got nan"),
        ({"max_pending": 0}, "max_pending must be at least 1, got 0"),
        ({"watch_inputs": 0}, "watch_inputs must be a whole number from 1 to 1000, got 0"),
        ({"direction": "up"}, "direction must be worse or any, got 'up'"),
        ({"classes": ("a",)}, r"classes must be at least two, got \['a'\]"),
        ({"classes": (1, True)}, "classes must be at least two"),
        ({"classes": ("a", "b", "a")}, r"classes must differ, got \['a', 'b', 'a'\]"),
        ({"classes": (0, 1, True)}, r"classes must differ, got \[0, 1, True\]"),
    ],
)
def test_what_cannot_be_meant_is_refused(settings, sentence):
    """Before anything is opened, with what was found."""
    with pytest.raises(SettingError, match=sentence):
        Config(**settings)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"model": "logistics"}, "did you mean 'logistic'"),
        ({"policy": "restart"}, "did you mean 'reset'"),
        ({"detector": "adwim"}, "did you mean 'adwin'"),
        ({"max_parameters": 9, "challengers": ({"name": "t"},)}, "leave one of the two away"),
        ({"model": "linear", "detector": "ddm"}, "a regression is neither"),
        ({"model": "sgd", "scaling": "log"}, "scaling must be one of standard, minmax, none"),
    ],
)
def test_what_no_learner_can_be_made_of_is_refused(settings, sentence):
    """When the learner is made, which is before it reads."""
    with pytest.raises(SettingError, match=sentence):
        Learner(Config(**settings), 0, 0)
