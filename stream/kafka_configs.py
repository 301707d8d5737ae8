"""How topics of Kafka are configured, as far as that can be seen."""

from __future__ import annotations

import functools

from kafka.admin import ConfigFilterType, ConfigResource, ConfigResourceType

from stream.errors import TopicFailed
from stream.kafka_cluster import Cluster
from stream.topic import Retention


def retention_of(cluster: Cluster, topic: str) -> Retention:
    """Return how long a topic keeps its records, defaults of the cluster among it.

    Raises `TopicFailed` where this user may not see that.
    """
    wanted = [ConfigResource(ConfigResourceType.TOPIC, topic)]
    describe = functools.partial(
        cluster.admin.describe_configs, wanted, config_filter=ConfigFilterType.ALL
    )
    found = cluster.ask(describe, f"tell the configuration of {topic!r}")
    (values,) = (named[topic] for named in found.values())
    # kafka-python passes over a refusal, and gives no configuration then.
    if not {"retention.ms", "retention.bytes"} <= values.keys():
        raise TopicFailed(
            f"Kafka at {cluster.address} does not show the configuration of {topic!r}; grant "
            "DescribeConfigs on the topic"
        )
    milliseconds = int(values["retention.ms"]["value"])
    size = int(values["retention.bytes"]["value"])
    return Retention(
        seconds=None if milliseconds < 0 else milliseconds / 1000,
        size=None if size < 0 else size,
    )
