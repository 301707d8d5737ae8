"""What the tests of the image and of the stack share; they need Docker, and minutes."""

import os

import pytest

from tests.compose.stack import TAG, Stack, answers


def pytest_ignore_collect(config):
    """Leave these tests out wherever their folder is not asked for by its name."""
    asked = any("tests/compose" in argument for argument in config.invocation_params.args)
    return None if asked else True


@pytest.fixture(scope="session")
def engine():
    """Make sure that Docker answers; skip where it does not, but not on CI."""
    if not answers():
        assert "CI" not in os.environ, "no Docker answers here"
        pytest.skip("no Docker answers here")


@pytest.fixture(scope="session")
def image(engine):
    """Build the image, and give its name."""
    Stack("driftline-build").compose("build", "learner", patience=600)
    return f"driftline:{TAG}"


@pytest.fixture(scope="module")
def start(image, request):
    """Give a function that makes a stack of some settings, to be brought up; it ends here."""
    stacks = []

    def start(**settings):
        name = request.module.__name__.rpartition(".")[2].replace("_", "-")
        stacks.append(Stack(f"driftline-{name}-{os.getpid()}-{len(stacks)}", **settings))
        return stacks[-1]

    yield start
    for stack in stacks:
        stack.compose("down", "--volumes", "--remove-orphans", "--timeout", "5", patience=120)
