"""Quix Streams on the same topic, with the same model: reported, nothing is aimed at.

It lives in an environment of its own, `.cache/quix`, made on first use. This file runs in
both: here it is asked for a measurement, there it is the process that is measured, so what
only one of the two has is imported where it is used.
"""

from __future__ import annotations

import importlib.metadata
import json
import logging
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

QUIX = "quixstreams==3.28.1"
FOLDER = Path(__file__).resolve().parent.parent / ".cache" / "quix"
PYTHON = FOLDER / "bin" / "python"


def install() -> str | None:
    """Make the environment where it is missing; return why it cannot be made, else None."""
    river = f"river=={importlib.metadata.version('river')}"
    wanted, stamp = f"{QUIX} {river}", FOLDER / "made-of"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return None
    shutil.rmtree(FOLDER, ignore_errors=True)
    commands = [
        [sys.executable, "-m", "venv", str(FOLDER)],
        [str(PYTHON), "-m", "pip", "install", "--quiet", "--no-input", QUIX, river],
    ]
    for command in commands:
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except OSError as error:
            return str(error)
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    stamp.write_text(wanted, encoding="utf-8")
    return None


def run(model: str, address: str, topic: str, n: int, *, delivery: str) -> dict[str, float]:
    """Learn the first `n` samples of a topic in a process of its own; return what it took."""
    group = f"quix-{time.time_ns()}"
    command = [str(PYTHON), __file__, model, address, topic, str(n), group, delivery]
    done = subprocess.run(command, capture_output=True, text=True, cwd=FOLDER)
    if done.returncode:
        raise RuntimeError(f"Quix Streams ended with {done.returncode}:\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Guess, score and learn each sample, and send one result message for it."""
    from quixstreams import Application  # type: ignore[import-not-found]
    from river import compose, linear_model, metrics, preprocessing, tree

    kind, address, topic, n, group, delivery = sys.argv[1:]
    logging.disable(logging.INFO)
    app = Application(
        broker_address=address,
        consumer_group=group,
        auto_offset_reset="earliest",
        processing_guarantee=delivery,
        loglevel="ERROR",
        state_dir=str(FOLDER / "state"),
    )
    estimator: Any = (
        tree.HoeffdingTreeClassifier()
        if kind == "tree"
        else compose.Pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression())
    )
    metric, times = metrics.Accuracy(), {"first": 0.0, "cpu": 0.0}
    ask, teach, update = estimator.predict_proba_one, estimator.learn_one, metric.update

    def learn(sample: dict[str, Any]) -> dict[str, Any]:
        if not times["first"]:
            times["first"], times["cpu"] = time.perf_counter(), time.process_time()
        x, y = sample["x"], sample["y"]
        p = ask(x)
        guess = max(p, key=p.get) if p else None
        if guess is not None:
            update(y, guess)
        teach(x, y)
        return {
            "id": sample["id"],
            "ts": sample["ts"],
            "y": y,
            "y_pred": guess,
            "p": p.get(guess, 0.0),
        }

    samples = app.topic(topic, value_deserializer="json")
    results = app.topic(f"{topic}.quix", value_serializer="json")
    app.dataframe(samples).apply(learn).to_topic(results)
    app.run(count=int(n))
    took = {
        "wall": time.perf_counter() - times["first"],
        "cpu": time.process_time() - times["cpu"],
        "accuracy": metric.get(),
    }
    sys.stdout.write(json.dumps(took) + "\n")


if __name__ == "__main__":
    main()
