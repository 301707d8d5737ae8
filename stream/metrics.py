"""Metrics of a service: what each is called, a registry of one's own, and the page.

What a metric is follows from its name: `_total` is a counter, `_duration_seconds` a histogram,
anything else a gauge. No two services have one of the same name but for what each says of
itself: a service tells what it does, and the monitor what the stream says.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

BUCKETS = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0),
)
"""Upper ends of a histogram's buckets, in seconds: of small turns, and of huge ones."""
_LIBRARIES = ("river", "scikit-learn", "kafka-python")

# They would double every counter, and Prometheus has no use for them.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Described(NamedTuple):
    """A metric's name, help, and labels beyond those that all of its service carry."""

    name: str
    help: str
    labels: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """What it is: counter, histogram or gauge.

        >>> Described("driftline_turns_total", "Turns.").kind
        'counter'
        """
        if self.name.endswith("_total"):
            return "counter"
        return "histogram" if self.name.endswith("_duration_seconds") else "gauge"

    def family(self, common: Sequence[str]) -> CounterMetricFamily | GaugeMetricFamily:
        """Return an empty family of a counter or gauge, with the labels in `common` first."""
        kind = CounterMetricFamily if self.kind == "counter" else GaugeMetricFamily
        return kind(self.name, self.help, labels=(*common, *self.labels))


BUILD = Described(
    "driftline_build_info",
    "1; the labels say which versions are at work.",
    ("version", "python", *(name.replace("-", "_") for name in _LIBRARIES)),
)
"""What every service tells of itself."""

Registry = CollectorRegistry
"""What all metrics of a page are registered with."""
Told = Iterable[tuple[str, tuple[str, ...], float]]
"""Names of metrics, the values of their labels, and their values."""


class Computed(Collector):
    """Counters and gauges of which `tell` gives the values when a scrape comes."""

    def __init__(
        self,
        described: Iterable[Described],
        tell: Callable[[], Told],
        common: Mapping[str, str] | None = None,
    ) -> None:
        self._described, self._tell, self._common = tuple(described), tell, common or {}

    def collect(self) -> Iterator[Metric]:
        """Yield every family, without samples where nothing is told of it."""
        families = {it.name: it.family((*self._common,)) for it in self._described}
        for name, labels, value in self._tell():
            families[name].add_metric((*self._common.values(), *labels), value)
        yield from families.values()

    def describe(self) -> Iterable[Metric]:
        """Return the families without samples, so that registering need not collect."""
        return [it.family((*self._common,)) for it in self._described]


class Instruments:
    """What a service counts itself, all with the labels in `common`.

    A counter or histogram without labels of its own is shown from the start, at 0; a gauge
    once it is known.
    """

    def __init__(
        self,
        registry: Registry,
        described: Iterable[Described],
        common: Mapping[str, str],
    ) -> None:
        self._made: dict[str, Any] = {}
        self._common = tuple(common.values())
        for it in described:
            self._made[it.name] = _made(it, (*common, *it.labels), registry)
            if not it.labels and it.kind != "gauge":
                self._of(it.name, ())

    def add(self, name: str, amount: float = 1, *labels: str) -> None:
        """Add to a counter."""
        self._of(name, labels).inc(amount)

    def put(self, name: str, value: float, *labels: str) -> None:
        """Set a gauge."""
        self._of(name, labels).set(value)

    def observe(self, name: str, seconds: float) -> None:
        """Put a duration into a histogram."""
        self._of(name, ()).observe(seconds)

    def _of(self, name: str, labels: tuple[str, ...]) -> Any:
        return self._made[name].labels(*self._common, *labels)


def _made(
    it: Described, labels: Sequence[str], registry: Registry
) -> Counter | Gauge | Histogram:
    if it.kind == "histogram":
        return Histogram(it.name, it.help, labels, registry=registry, buckets=BUCKETS)
    kind = Counter if it.kind == "counter" else Gauge
    return kind(it.name, it.help, labels, registry=registry)


def registry(*collectors: Collector) -> Registry:
    """Return a registry of these, of what is at work here, and of this process."""
    made = CollectorRegistry()
    for each in collectors:
        made.register(each)
    made.register(Computed([BUILD], lambda: [(BUILD.name, _versions(), 1.0)]))
    ProcessCollector(registry=made)
    PlatformCollector(registry=made)
    GCCollector(registry=made)
    return made


def page(of: Registry, accept: str = "") -> tuple[bytes, str]:
    """Return the page that Prometheus reads and its content type, as `accept` asks."""
    encode, content_type = choose_encoder(accept)
    return encode(of), content_type


def _versions() -> tuple[str, ...]:
    libraries = (_version(name) for name in _LIBRARIES)
    return (_version("driftline"), platform.python_version(), *libraries)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # run from a checkout that was not installed
        return "unknown"
