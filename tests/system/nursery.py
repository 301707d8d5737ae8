"""Start `driftline` again and again without importing everything each time.

A process of its own that has imported all there is, and forks a child for each order it
reads from stdin, a line of JSON. The child is a process like any other, with its own id to
be killed by, and runs the command line. See `tests.system.lives`, which gives the orders.
"""

import gc
import importlib
import json
import os
import signal
import sys
import traceback

from driftline.__main__ import main
from driftline.console import set_up_logging
from learner.config import Config
from learner.learner import Learner
from learner.signed import versions
from tests.system import plants

MODULES = (
    *(f"driftline.commands.{name}" for name in ("demo", "learn", "monitor", "outcomes")),
    *("driftline.app", "driftline.commands.live", "driftline.commands.produce"),
    *("driftline.commands.doctor", "driftline.doctor.steps", "stream.kafka_rights"),
    *("monitor.confusion", "monitor.ranking", "monitor.regression"),
    *("learner.loop", "monitor.doors", "monitor.exporter", "monitor.run", "producer.copying"),
    *("producer.lines", "producer.replay", "producer.sources.river"),
    *("producer.sources.synth", "stream.kafka", "stream.sqlite"),
    *("stream.web",),
)
"""What commands import late, so that asking for help costs nothing."""


def born(order):
    """Be the child: run the command line, and leave without the parent's last rites."""
    code = 1
    try:
        for name, number in (("stdout", 1), ("stderr", 2)):
            os.dup2(os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(order["cwd"])
        os.environ.update(order["variables"])
        for plant in order["plants"]:
            name, *arguments = plant.split(":")
            getattr(plants, name)(*arguments)
        sys.argv = ["driftline", *order["arguments"]]
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - it goes no further than this
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def obey():
    """Fork, or tell how a child ended, as the orders come; at their end leave no child."""
    living = set()
    for line in sys.stdin:
        order = json.loads(line)
        if "poll" in order:
            pid, status = os.waitpid(order["poll"], os.WNOHANG)
            living.discard(pid)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = os.fork()
            if answer == 0:
                born(order)
            living.add(answer)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for pid in living:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def warm():
    """Do what each child would else do for itself: import libraries, ask for versions."""
    for module in MODULES:
        importlib.import_module(module)
    for model in ("logistic", "hoeffding-tree", "sgd"):
        Learner(Config(model=model, classes=(0, 1)), 0, 0)
    versions()
    set_up_logging()
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    warm()
    obey()
