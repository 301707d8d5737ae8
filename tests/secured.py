"""A Kafka with TLS, users and rights, for the tests that come to it as its clients do."""

import os
from pathlib import Path

import pytest
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
)

from tools.kafka_secured import KeytoolMissing, Secured


def secured_or_skip(folder: Path, *users: str, authorized: bool = False) -> Secured:
    """Return what a secured broker needs; on CI it must be there, elsewhere tests skip."""
    try:
        return Secured(folder, users, authorized=authorized)
    except KeytoolMissing as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


KINDS = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional-id": ResourceType.TRANSACTIONAL_ID,
}


def acl(user: str, operation: str, kind: str, name: str, pattern: str) -> ACL:
    """Return a right as the admin client takes it, by the words that kafka-acls takes."""
    return ACL(
        principal=f"User:{user}",
        host="*",
        operation=ACLOperation[operation.upper()],
        permission_type=ACLPermissionType.ALLOW,
        resource_pattern=ResourcePattern(
            KINDS[kind], name, ACLResourcePatternType[pattern.upper()]
        ),
    )
