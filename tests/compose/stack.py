"""A stack of containers, as whoever has this checkout and Docker brings it up."""

import json
import os
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from tests.system.lives import ROOT, eventually
from tools.kafka import free_port

TAG = "test"
"""Of the image that the tests build."""
UNSET = ".env.example"
"""A file that sets nothing, in the place of one that somebody may have here."""
PORTS = ("KAFKA_PORT", "MONITOR_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT")
PATIENCE = 240.0
"""Seconds in which containers come up, and in which a restarted one goes on."""
SERVICES = ("kafka", "producer", "learner", "monitor", "prometheus")
"""The services that are looked at; where Grafana may run it runs as well."""


def answers():
    """Return whether there is a Docker that answers."""
    try:
        return subprocess.run(["docker", "version"], capture_output=True).returncode == 0
    except OSError:
        return False


def docker(*arguments, patience=60.0):
    """Run a command of Docker, see it end well, and return what it writes to stdout."""
    return _run(["docker", *arguments], {}, patience)


def _run(command, variables, patience, *, both=False):
    done = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if both else subprocess.PIPE,
        text=True,
        timeout=patience,
    )
    assert done.returncode == 0, f"{done.args}: {done.stdout}{done.stderr}"
    return done.stdout


class Stack:
    """The services of docker-compose.yml under a project's name of their own, on free ports.

    `settings` are variables as they stand in .env; a file of that name is left unread.
    """

    def __init__(self, project, **settings):
        self.project = project
        self.ports = {name: str(free_port()) for name in PORTS}
        self.settings = {"DRIFTLINE_TAG": TAG, **self.ports, **settings}

    @property
    def stream(self):
        """The address of its stream, by the listener for this machine."""
        return f"kafka://127.0.0.1:{self.ports['KAFKA_PORT']}/demo"

    def url(self, service):
        """Return the address at which a service answers over HTTP."""
        return f"http://127.0.0.1:{self.ports[f'{service.upper()}_PORT']}"

    def compose(self, *arguments, patience=PATIENCE):
        """Run a command of Compose, and return what it writes to stdout."""
        command = ["tools/compose.sh", "--project-name", self.project, "--env-file", UNSET]
        return _run([*command, *arguments], self.settings, patience)

    def up(self, *arguments):
        """Bring up all services, or those that are named."""
        self.compose("up", "--detach", "--no-build", *arguments)

    def containers(self, service):
        """Return the ids of a service's containers, stopped ones among them."""
        where = [f"project={self.project}", f"service={service}", "oneoff=False"]
        labels = [f"--filter=label=com.docker.compose.{each}" for each in where]
        return docker("ps", "--all", "--quiet", "--no-trunc", *labels).split()

    def inspect(self, container):
        """Return all that Docker knows of a container."""
        return json.loads(docker("inspect", container))[0]

    def health(self):
        """Return the health of each service, or its state where it has no check."""
        found = {}
        for service in SERVICES:
            state = self.inspect(self.containers(service)[0])["State"]
            found[service] = state.get("Health", {}).get("Status") or state["Status"]
        return found

    def healthy(self):
        """Wait until every service says that it is."""
        eventually(lambda: {*self.health().values()} == {"healthy"}, PATIENCE)

    def kill(self, service):
        """Kill all that runs in a service's container, as no hand of a person would.

        `docker kill` counts as a person's wish, after which nothing is started again.
        """
        (container,) = self.containers(service)
        before = self.inspect(container)["RestartCount"]
        subprocess.run(["docker", "exec", container, "sh", "-c", "kill -9 -1"], check=False)
        eventually(lambda: self.inspect(container)["RestartCount"] > before, PATIENCE)

    def said(self, container):
        """Return what a container has written."""
        return _run(["docker", "logs", container], {}, 60.0, both=True)

    def logs(self):
        """Return what all services have written."""
        return self.compose("logs", "--no-color")


def get(url):
    """Return what is answered at an address, None while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=10) as page:
            return page.read().decode()
    except (urllib.error.URLError, ConnectionError):
        return None


def ask(prometheus, promql, moment=None):
    """Return the values that a query gives, each with its labels; none while there is none."""
    at = {} if moment is None else {"time": f"{moment:.3f}"}
    query = urllib.parse.urlencode({"query": promql, **at})
    page = get(f"{prometheus}/api/v1/query?{query}")
    found = json.loads(page)["data"]["result"] if page else []
    return [(each["metric"], float(each["value"][1])) for each in found]
