import json

import pytest

from learner.config import Config
from learner.serving.tensors import INTS
from tests.learner.serving.asking import asked, tell
from tests.learner.serving.test_routes import filled, until

BAYES = Config(model="naive-bayes", policy="none")
LINEAR = Config(model="linear", policy="none")

# What the protocol requires of each object: name → (type, required), of lists that of each.
TENSOR = {"name": (str, True), "datatype": (str, True), "shape": ([int], True)}
OBJECTS = {
    "server": {"name": (str, True), "version": (str, True), "extensions": ([str], True)},
    "model": {
        "name": (str, True),
        "platform": (str, True),
        "versions": ([str], False),
        "inputs": ([TENSOR], False),
        "outputs": ([TENSOR], False),
    },
    "ready": {"name": (str, True), "ready": (bool, True)},
    "inference": {
        "model_name": (str, True),
        "model_version": (str, False),
        "id": (str, False),
        "parameters": (dict, False),
        "outputs": ([{**TENSOR, "data": (list, True), "parameters": (dict, False)}], True),
    },
    "error": {"error": (str, True)},
}
DATATYPES = {"BOOL", "BYTES", "FP16", "FP32", "FP64", *INTS}


def check(found, wanted):
    """See that an object has what the protocol requires, and nothing else."""
    for name, (kind, required) in wanted.items():
        if name not in found:
            assert not required, f"{name} is missing"
            continue
        if isinstance(kind, list):
            assert isinstance(found[name], list)
            for each in found[name]:
                if isinstance(kind[0], dict):
                    check(each, kind[0])
                    assert each["datatype"] in DATATYPES
                else:
                    assert type(each) is kind[0]
        else:
            assert type(found[name]) is kind
    assert set(found) <= set(wanted)


def tensor(name, data, datatype="FP64", shape=None, **parameters):
    """Return an input tensor."""
    found = {"name": name, "shape": shape or [len(data)], "datatype": datatype, "data": data}
    return {**found, "parameters": parameters} if parameters else found


AB = [tensor("a", [1.0, 6.0]), tensor("b", [1, 2], "INT64")]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """Give a classifier that has learned 200 samples."""
    with asked(filled(), BAYES, tmp_path_factory.mktemp("state")) as client:
        until(200, client)
        yield client


@pytest.fixture(params=["", f"/versions/{BAYES.hash}"])
def model(request):
    """Give the path of the model, with its version and without."""
    return f"/v2/models/main{request.param}"


def test_the_server_tells_of_itself(client):
    """With and without a slash at the end."""
    for path in ("/v2", "/v2/"):
        status, found = client.get(path)
        assert status == 200
        check(found, OBJECTS["server"])


def test_health_is_told(client, model):
    """Of the server and of the model."""
    assert client.get("/v2/health/live") == (200, {"live": True})
    assert client.get("/v2/health/ready") == (200, {"live": True, "ready": True})
    status, found = client.get(f"{model}/ready")
    check(found, OBJECTS["ready"])
    assert (status, found) == (200, {"name": "main", "ready": True})


def test_the_model_tells_what_it_takes_and_gives(client, model):
    """Its features are those of the newest sample."""
    status, found = client.get(model)

    assert status == 200
    check(found, OBJECTS["model"])
    assert (found["platform"], found["versions"]) == ("driftline", [BAYES.hash])
    assert found["inputs"] == [
        {"name": "a", "datatype": "FP64", "shape": [-1]},
        {"name": "b", "datatype": "INT64", "shape": [-1]},
    ]
    assert {each["name"]: each["datatype"] for each in found["outputs"]} == {
        "y_pred": "INT64",
        "probabilities": "FP64",
    }


@pytest.mark.parametrize(
    "inputs",
    [
        AB,
        [tensor("a", [[1.0], [6.0]], "FP32", [2, 1]), tensor("b", [1, 2], "UINT8", [2, 1])],
        [tensor("x", [1.0, 1, 6.0, 2], shape=[2, 2], features=["a", "b"])],
        [tensor("x", [[1.0, 1], [6.0, 2]], "FP16", [2, 2], features=["a", "b"])],
    ],
)
def test_tensors_are_samples_however_they_are_written(client, model, inputs):
    """One a feature or one for all, flat or nested; answered as /predict answers."""
    xs = [{"a": 1.0, "b": 1}, {"a": 6.0, "b": 2}]
    wanted = client.predict({"x": xs})[1]["predictions"]

    status, found = client.post(f"{model}/infer", {"id": "42", "inputs": inputs})

    assert status == 200
    check(found, OBJECTS["inference"])
    assert (found["model_name"], found["id"]) == ("main", "42")
    labels, chances = found["outputs"]
    assert (labels["datatype"], labels["shape"]) == ("INT64", [2])
    assert labels["data"] == [each["y_pred"] for each in wanted]
    classes = chances["parameters"]["classes"]
    assert (chances["shape"], sorted(classes)) == ([2, 2], [0, 1])
    assert chances["data"] == [each["p"][str(label)] for each in wanted for label in classes]


def test_outputs_are_those_asked_for(client):
    """In the order in which they were asked for."""
    for names in (["y_pred"], ["probabilities"], ["probabilities", "y_pred"]):
        body = {"inputs": AB, "outputs": [{"name": name} for name in names]}
        found = client.post("/v2/models/main/infer", body)[1]
        assert [each["name"] for each in found["outputs"]] == names
        assert "id" not in found


def test_a_missing_number_is_null(client):
    """As it is in a record."""
    body = {"inputs": [tensor("a", [None]), tensor("b", [1], "INT64")]}
    found = client.post("/v2/models/main/infer", body)[1]
    wanted = client.predict({"x": {"a": None, "b": 1}})[1]
    assert found["outputs"][0]["data"] == [wanted["y_pred"]]


BAD = [
    ({"inputs": []}, "a feature"),
    ({}, "inputs"),
    ({"inputs": [{"name": "a"}]}, "shape"),
    ({"inputs": [tensor("a", [1.0], shape=[2])]}, "1 values, its shape"),
    ({"inputs": [tensor("a", [1.0, 2.0], shape=[1, 2])]}, "must be"),
    ({"inputs": [tensor("a", [1.0], shape=[1, 1, 1])]}, "must be"),
    ({"inputs": [tensor("a", [1.0], shape=[-1])]}, "must be"),
    ({"inputs": [tensor("a", [], shape=[0])]}, "0 samples"),
    ({"inputs": [tensor("a", [1.0] * 257)]}, "257 samples"),
    ({"inputs": [tensor("a", [1.0]), tensor("a", [1.0])]}, "own name"),
    ({"inputs": [tensor("a", [1.0]), tensor("b", [1.0, 2.0])]}, "one length"),
    ({"inputs": [tensor("a", ["1"])]}, "no FP64"),
    ({"inputs": [tensor("a", [True], "INT8")]}, "no INT8"),
    ({"inputs": [tensor("a", [128], "INT8")]}, "no INT8"),
    ({"inputs": [tensor("a", [-1], "UINT64")]}, "no UINT64"),
    ({"inputs": [tensor("a", [2**64 - 1], "UINT64")]}, "out of range"),
    ({"inputs": [tensor("a", [1], "BOOL")]}, "no BOOL"),
    ({"inputs": [tensor("a", [1], "BYTES")]}, "no BYTES"),
    ({"inputs": [tensor("a", [1], "FP8")]}, "it must be of BOOL"),
    ({"inputs": [tensor("a", [[[1.0]]], shape=[1, 1])]}, "no FP64"),
    ({"inputs": [tensor("a", ["x"], "BYTES"), AB[1]]}, "one length"),
    ({"inputs": [tensor("x", [1.0], shape=[1, 1], features="a")]}, "list of names"),
    ({"inputs": [tensor("x", [1.0], shape=[1, 1], features=["a", "b"])]}, "has 2 names"),
    ({"inputs": [tensor("x", [1.0], shape=[1], features=["a"])]}, "has 1 names"),
    ({"inputs": [tensor("x", [1.0] * 2, shape=[1, 2], features=["a", "a"])]}, "differ"),
    (
        {"inputs": [tensor("x", [[1.0], [2.0]], shape=[1, 2], features=["a", "b"])]},
        "not of shape",
    ),
    ({"inputs": AB, "outputs": [{"name": "other"}]}, "output 'other'"),
    ({"inputs": AB, "parameters": {"partition": 1}}, "partition"),
    ({"inputs": AB, "parameters": {"partition": "0"}}, "whole number"),
    ({"inputs": AB, "id": 42}, "str"),
    ({"inputs": [tensor("a", [10**400])]}, "tensor 'a' has a number beyond"),
    ({"inputs": [tensor("a", [-(10**400)], "FP16")]}, "tensor 'a' has a number beyond"),
    ({"inputs": [tensor("a", [10**400], "INT64")]}, "no INT64"),
    ({"inputs": [tensor("a", [1.0], shape=[10**400])]}, "must be 0 to 1000000"),
    (
        {"inputs": [tensor("a", [1.0], shape=[1, 10**4000], features=["a"])]},
        "must be 0 to 1000000",
    ),
    ({"inputs": [tensor("a", [1.0], shape=[-1])]}, "must be 0 to 1000000"),
    ({"inputs": [tensor("a", [1.0], shape=[1] * 5000)]}, "5000 dimensions"),
]


@pytest.mark.parametrize(("body", "sentence"), BAD, ids=range(len(BAD)))
def test_what_is_no_inference_is_refused_as_the_protocol_has_it(client, body, sentence):
    """400, with one field that says what is wrong."""
    status, found = client.post("/v2/models/main/infer", body)

    assert status == 400, found
    check(found, OBJECTS["error"])
    assert sentence in found["error"]
    assert len(found["error"]) < 300


@pytest.mark.parametrize(
    "path", ["/v2/models/other", "/v2/models/main/versions/1", "/v2/models/other/versions/1"]
)
def test_another_model_or_version_is_not_found(client, path):
    """404, in the protocol's own form, wherever it is named."""
    for status, found in (
        client.get(path),
        client.get(f"{path}/ready"),
        client.post(f"{path}/infer", {"inputs": AB}),
    ):
        assert status == 404
        check(found, OBJECTS["error"])


def test_labels_and_features_may_be_texts(tmp_path):
    """Texts go as BYTES, in and out."""
    samples = [
        {"id": n, "x": {"c": "ab"[n % 2]}, "y": ["up", "down"][n % 2]} for n in range(90)
    ]
    with asked(filled(samples), Config(model="hoeffding-tree"), tmp_path) as client:
        until(90, client)
        body = {"inputs": [tensor("c", ["a", "b"], "BYTES")]}
        labels, chances = client.post("/v2/models/main/infer", body)[1]["outputs"]
        assert labels["datatype"] == "BYTES"
        wanted = client.predict({"x": [{"c": "a"}, {"c": "b"}]})[1]["predictions"]
        assert labels["data"] == [each["y_pred"] for each in wanted]
        assert set(chances["parameters"]["classes"]) == {"up", "down"}
        assert client.get("/v2/models/main")[1]["outputs"][0]["datatype"] == "BYTES"


def test_a_number_is_guessed_without_probabilities(tmp_path):
    """A regressor has one output, of floating point."""
    samples = [{"id": n, "x": {"a": n % 5}, "y": n % 5} for n in range(90)]
    with asked(filled(samples), LINEAR, tmp_path) as client:
        until(90, client)
        body = {"inputs": [tensor("a", [1, 2, 3], "INT32")]}
        (only,) = client.post("/v2/models/main/infer", body)[1]["outputs"]
        assert (only["name"], only["datatype"], only["shape"]) == ("y_pred", "FP64", [3])
        assert [each["name"] for each in client.get("/v2/models/main")[1]["outputs"]] == [
            "y_pred"
        ]


def test_before_the_first_guess_there_is_none_to_give(tmp_path):
    """The protocol has no word for it, so it is an error there; /predict says null."""
    log = filled([])
    with asked(log, BAYES, tmp_path) as client:
        until(0, client)
        assert client.predict({"x": {"a": 1.0}})[1]["y_pred"] is None
        status, found = client.post("/v2/models/main/infer", {"inputs": AB})
        assert (status, "no guess yet" in found["error"]) == (400, True)
        assert client.get("/v2/models/main")[1]["inputs"] == []
        tell(log, {"command": "end-grain"})
        until(1, client)
        assert client.get("/v2/models/main")[1]["inputs"] == []


def test_a_huge_inference_is_refused_in_the_same_form(client):
    """By the limit that all bodies have."""
    body = json.dumps({"inputs": [tensor("a", [1.0] * 2_000_000)]}).encode()
    for _ in range(10):  # also to one who reads no answer before all is sent
        status, found = client.post("/v2/models/main/infer", body)
        assert status == 413
        check(found, OBJECTS["error"])
