"""What is wrong with a command line, in one sentence."""

from __future__ import annotations

from types import UnionType
from typing import Union, get_origin

from cyclopts import App, CoercionError, CycloptsError, Token, UnknownCommandError
from cyclopts.argument import Argument
from cyclopts.exceptions import MissingArgumentError, UnusedCliTokensError

from driftline.catalog import catalog
from driftline.settings import words_of
from producer.sources.source import suggestion

_CHANGES = ((". Did you mean ", "; did you mean "), (". Choose from: ", "; choose from "))

_LINKS = (
    "; Kubernetes sets such a variable for a service of that name, set enableServiceLinks to "
    "false"
)


def sentence(error: CycloptsError) -> str:
    """Return what the parser found, on one line, in our form.

    >>> sentence(CycloptsError(msg="Unknown option: --modl. Did you mean --model?"))
    'unknown option: --modl; did you mean --model?'
    """
    error.verbose = False
    command = " ".join(["driftline", *(error.command_chain or ())])
    match error:
        case UnknownCommandError(app=App() as app, unused_tokens=[name, *_]):
            names = [each for each in app if not each.startswith("-")]
            return f"there is no command {name!r}{suggestion(name, names)}"
        case UnusedCliTokensError(unused_tokens=[word, *_]):
            return f"{command!r} has no place for {word!r}; see '{command} --help'"
        case MissingArgumentError(argument=Argument() as argument):
            if found := _mistyped(error):
                return found
            name = error.keyword or argument.name
            return f"{command!r} needs a value for {name}; see '{command} --help'"
        case CoercionError(token=Token() as token, target_type=kind, msg=None) if isinstance(
            kind, type
        ) or get_origin(kind) in (Union, UnionType):
            name = token.keyword or (error.argument.name if error.argument else "it")
            hint = _LINKS if token.source == "env" and "://" in token.value else ""
            return f"{name} must be {words_of(kind)}, got {token.value!r}{hint}"
    text = " ".join(str(error).split()).removesuffix(".")
    for theirs, ours in _CHANGES:
        text = text.replace(theirs, ours)
    return text[:1].lower() + text[1:]


def _mistyped(error: CycloptsError) -> str | None:
    """Return what to say of an option that is unknown: it may be the one that is missing."""
    from driftline.app import app

    known = catalog(app).get(tuple(error.command_chain or ()), [])
    flags = [setting.flag for setting in known]
    for word in error.unused_tokens or ():
        name = word.partition("=")[0]
        if name.startswith("--") and name not in flags:
            near = suggestion(name, flags).replace("'", "")
            return f"unknown option: {name}{near}"
    return None
