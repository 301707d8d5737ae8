import json
import os
import random
import shutil
import subprocess
import uuid
from contextlib import closing

import pytest
from river.linear_model import LogisticRegression
from river.preprocessing import StandardScaler

from stream.connect import connect
from tests.system.lives import COMMAND, PATIENCE, environment, samples

pytestmark = pytest.mark.kafka

ORDERS, CHUNK = 2000, 200
SETTINGS = """
[common]
stream = "kafka://{address}/shop-{number}"

[produce]
source = "kafka://{address}/Shop.Orders_{number}"
labels = "kafka://{address}/Bank.Payments_{number}"
until_end = true

[produce.mapping]
id = "order.id"
ts = "order.placed"
x = ["customer", "lines[0].price", "lines[1].price"]
drop = ["customer.name"]

[produce.mapping.rename]
"lines[0].price" = "first"
"lines[1].price" = "second"

[produce.labels_mapping]
id = "$.reference['order.id']"
y = "outcome.paid"

[learn]
model = "logistic"
policy = "none"
"""


def orders(seed):
    """Yield orders as a shop writes them, each with what a bank writes of it later."""
    rng = random.Random(seed)
    for n in range(ORDERS):
        age, visits = rng.randrange(18, 80), rng.randrange(20)
        lines = [{"sku": f"s{k}", "price": round(rng.uniform(1, 90), 2)} for k in range(3)]
        order = {
            "order": {"id": f"o-{n}", "placed": f"2024-03-01T{n // 3600:02}:00:00+01:00"},
            "customer": {"name": f"Ada {n}", "age": age, "loyalty": {"visits": visits}},
            "lines": lines,
        }
        paid = age / 40 + visits / 10 - lines[0]["price"] / 60 > 1.4
        yield order, {"reference": {"order.id": f"o-{n}"}, "outcome": {"paid": paid}}


@pytest.fixture
def kcat(kafka):
    """Give a function that writes records with kcat, one a line; skip where there is none."""
    program = shutil.which("kcat")
    if program is None:
        assert "CI" not in os.environ, "kcat is missing; tools/needs.sh installs it"
        pytest.skip("kcat is not installed")

    def write(topic, records, *more):
        text = "".join(json.dumps(record) + "\n" for record in records)
        command = [program, "-P", "-b", kafka, "-t", topic, *more]
        subprocess.run(command, input=text, text=True, check=True, timeout=PATIENCE)

    return write


@pytest.fixture(params=[ORDERS])
def shop(request, kafka, kcat, tmp_path):
    """Give a folder with settings, and topics that shop and bank have written meanwhile."""
    number = uuid.uuid4().hex[:8]
    names = [f"Shop.Orders_{number}", f"Bank.Payments_{number}"]
    with closing(connect(f"kafka://{kafka}/any")) as log:
        for name in names:
            log.create(name, partitions=2)
    pairs = list(orders(4))[: request.param]
    for at in range(0, request.param, CHUNK):
        for which in (0, 1):
            kcat(names[which], [pair[which] for pair in pairs[at : at + CHUNK]])
    kcat(names[0], ["no order at all"])
    (tmp_path / "driftline.toml").write_text(SETTINGS.format(address=kafka, number=number))
    return f"kafka://{kafka}/shop-{number}"


def expected(records):
    """Return the accuracy of River's own model over the records of a partition, in order."""
    model, waiting, right = StandardScaler() | LogisticRegression(), {}, 0
    for _, record in records:
        if "x" in record:
            waiting[record["id"]] = record["x"], model.predict_one(record["x"])
        else:
            x, guess = waiting.pop(record["id"])
            right += guess == record["y"]
            model.learn_one(x, record["y"])
    return right / ORDERS


def test_from_foreign_topics_to_an_accuracy_by_settings_alone(nursery, shop, tmp_path, report):
    """Nested JSON and labels of a topic of their own, written by kcat; nothing is prepared."""
    produced = nursery.run("produce", "--json", cwd=tmp_path)
    learned = nursery.run("learn", "--until-end", "--json", cwd=tmp_path)

    assert produced.summary["samples"] == produced.summary["labels"] == ORDERS
    assert produced.summary["unmatched"] == 0
    assert produced.summary["skipped"] == {"not_object": 1}
    assert "is left out (not_object)" in produced.err
    (records,) = samples(shop, timed=True).values()
    first = next(content for _, content in records)
    wanted = next(order for order, _ in orders(4) if order["order"]["id"] == first["id"])
    assert first["x"] == {
        "customer.age": wanted["customer"]["age"],
        "customer.loyalty.visits": wanted["customer"]["loyalty"]["visits"],
        "first": wanted["lines"][0]["price"],
        "second": wanted["lines"][1]["price"],
    }
    assert first["ts"] == 1709247600.0
    assert learned.summary["scored"] == ORDERS
    assert learned.summary["accuracy"] == pytest.approx(expected(records), abs=1e-12)
    assert learned.summary["accuracy"] > 0.85
    report(accuracy=learned.summary["accuracy"], seconds=produced.summary["seconds"])


@pytest.mark.parametrize("shop", [CHUNK], indirect=True)
def test_more_of_both_is_added_by_the_next_run(nursery, shop, kcat, tmp_path):
    """What was copied is not copied again, and what came meanwhile is."""
    nursery.run("produce", cwd=tmp_path)
    settings = (tmp_path / "driftline.toml").read_text()
    names = [line.split("/")[-1].strip('"\n') for line in settings.splitlines() if "_" in line]
    order, payment = next(iter(orders(4)))
    order["order"]["id"] = payment["reference"]["order.id"] = "o-new"
    kcat(names[0], [order])
    kcat(names[1], [payment])

    again = nursery.run("produce", "--json", cwd=tmp_path)

    assert (again.summary["samples"], again.summary["labels"]) == (1, 1)
    assert "was copied up to" in again.err
    (records,) = samples(shop).values()
    assert [content["id"] for _, content in records[-2:]] == ["o-new", "o-new"]
    assert len(records) == 2 * CHUNK + 2


@pytest.mark.parametrize("shop", [CHUNK], indirect=True)
def test_what_kcat_reads_goes_down_a_pipe(nursery, shop, tmp_path):
    """Standard input is as good a source as any: `kcat … | driftline produce --source -`."""
    topic = (tmp_path / "driftline.toml").read_text().split('source = "')[1].split('"')[0]
    broker, name = topic.removeprefix("kafka://").split("/")
    (tmp_path / "driftline.toml").unlink()
    url = f"sqlite:{tmp_path / 'piped.db'}"
    words = ["--source", "-", "--id", "order.id", "--time", "order.placed", "--stream", url]
    reading = subprocess.Popen(
        ["kcat", "-C", "-e", "-q", "-b", broker, "-t", name], stdout=subprocess.PIPE
    )
    with reading:
        done = subprocess.run(
            [*COMMAND, "produce", *words, "--json"],
            stdin=reading.stdout,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment(),
        )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["samples"], summary["skipped"]) == (CHUNK, {"not_object": 1})
    (records,) = samples(url).values()
    assert sorted(it["id"] for _, it in records) == sorted(f"o-{n}" for n in range(CHUNK))


@pytest.mark.parametrize("codec", ["gzip", "lz4", "snappy", "zstd"])
def test_compressed_records_are_read(nursery, kafka, kcat, tmp_path, codec):
    """Whatever a client compresses with is unpacked."""
    name = f"packed-{uuid.uuid4().hex[:8]}"
    with closing(connect(f"kafka://{kafka}/any")) as log:
        log.create(name, partitions=1)
    kcat(name, [{"a": n} for n in range(300)], "-z", codec)
    words = ("--source", f"kafka://{kafka}/{name}", "--mapping", "{}", "--until-end", "--json")

    life = nursery.run("produce", *words, cwd=tmp_path)

    assert life.summary["samples"] == 300


def test_a_topic_that_is_not_there_is_not_made(nursery, kafka, tmp_path):
    """A sentence names it, and the broker still has no such topic."""
    source = f"kafka://{kafka}/Nobody.Wrote_{uuid.uuid4().hex[:8]}"
    for _ in range(2):
        life = nursery.start("produce", "--source", source, cwd=tmp_path)
        assert life.wait() == 2
        assert f"source {source!r} holds no topic" in life.err
        assert life.err.count("\n") == 1
