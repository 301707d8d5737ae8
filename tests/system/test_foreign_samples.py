"""Somebody else's topic of samples, read in place by a learner, with settings alone."""

import json
import os
import shutil
import subprocess
import uuid
from contextlib import closing

import pytest
from river.linear_model import LogisticRegression
from river.preprocessing import StandardScaler

from stream.connect import connect
from tests.system.lives import PATIENCE
from tests.system.test_foreign_topics import orders

pytestmark = pytest.mark.kafka

SETTINGS = """
[common]
stream = "kafka://{address}/{stream}"

[learn]
topic = "Shop.Sales_{number}"
model = "logistic"
policy = "none"

[learn.mapping]
id = "order.id"
ts = "order.placed"
y = "outcome.paid"
x = ["customer.age", "customer.loyalty", "lines[0].price"]
"""


@pytest.fixture
def sales(kafka, tmp_path):
    """Give what kcat has written to a topic of one partition, and the settings beside it."""
    program = shutil.which("kcat")
    if program is None:
        assert "CI" not in os.environ, "kcat is missing; tools/needs.sh installs it"
        pytest.skip("kcat is not installed")
    number = uuid.uuid4().hex[:8]
    with closing(connect(f"kafka://{kafka}/any")) as log:
        log.create(f"Shop.Sales_{number}", partitions=1)
    records = [order | payment for order, payment in orders(5)]
    text = "".join(json.dumps(record) + "\n" for record in records) + "what is this\n"
    command = [program, "-P", "-b", kafka, "-t", f"Shop.Sales_{number}"]
    subprocess.run(command, input=text, text=True, check=True, timeout=PATIENCE)
    settings = SETTINGS.format(address=kafka, stream=f"sales-{number}", number=number)
    (tmp_path / "driftline.toml").write_text(settings)
    return records


def test_a_topic_is_looked_at_and_learned_where_it_is(nursery, sales, tmp_path, report):
    """The doctor shows one record through the mapping; then it is learned, read-only."""
    looked = nursery.start("doctor", "--port", "0", "--prometheus-port", "0", cwd=tmp_path)
    looked.wait()
    assert "feature customer.loyalty.visits = " in looked.out
    assert "found at customer.loyalty.visits" in looked.out
    assert "1 of the last 100 records are refused" in looked.out

    learned = nursery.run("learn", "--until-end", "--json", cwd=tmp_path)

    model, right = StandardScaler() | LogisticRegression(), 0
    for record in sales:
        customer = record["customer"]
        x = {
            "customer.age": customer["age"],
            "customer.loyalty.visits": customer["loyalty"]["visits"],
            "lines[0].price": record["lines"][0]["price"],
        }
        y = record["outcome"]["paid"]
        right += model.predict_one(x) == y
        model.learn_one(x, y)
    assert learned.summary["scored"] == len(sales)
    assert learned.summary["accuracy"] == pytest.approx(right / len(sales), abs=1e-12)
    assert learned.summary["dead"] == 1
    told = nursery.run("monitor", "--until-end", "--json", cwd=tmp_path).summary
    assert told["learners"]["main"]["accuracy"] == learned.summary["accuracy"]
    assert told["learners"]["main"]["lag"] == 0
    report(accuracy=learned.summary["accuracy"])
