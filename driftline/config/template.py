"""A settings file with every setting there is, each put in brackets at its default."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from driftline.catalog import COMMON, KAFKA, Command, Setting
from driftline.settings import words_of
from stream.errors import SettingError

_HEAD = """\
# Settings of driftline, each at its default. Take away the # in front of a name to set it;
# what has no default of its own is shown with what it takes, as <a whole number>.
#
# A flag (--turn) goes before an environment variable (DRIFTLINE_LEARN_TURN), that before this
# file, and here a command's own table before [common].
"""
_KAFKA = """\
# Settings of kafka-python, by its own names; for secrets DRIFTLINE_KAFKA_…_FILE in the
# environment names a file to read.
# security_protocol = <a text>
# sasl_mechanism = <a text>
# sasl_plain_username = <a text>
"""
_SHARED = 3
"""Commands that take a setting alike before it is worth a line in [common]."""
_WIDTH = 92


def write(path: Path, text: str) -> None:
    """Write a settings file that is not there yet.

    Raises `SettingError` where there is one, or none can be made.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise SettingError(
            f"{str(path)!r} is there already and is left as it is; name another file"
        ) from None
    except OSError as error:
        raise SettingError(
            f"{str(path)!r} cannot be written: {error.strerror}; name another file"
        ) from error


def template(known: Mapping[Command, list[Setting]]) -> str:
    """Return the text of a settings file that sets nothing and shows everything."""
    parts = [_HEAD, _table(COMMON, _shared(known.values()))]
    parts += [_table(".".join(words), settings) for words, settings in known.items()]
    return "\n".join([*parts, f"[{KAFKA}]\n{_KAFKA}"])


def _shared(commands: Iterable[list[Setting]]) -> Iterator[Setting]:
    """Yield, once each, the settings that several commands take alike.

    One that others take otherwise is shown only where there is no default that would then
    be set for those as well.
    """
    takers: dict[str, list[Setting]] = {}
    for each in chain.from_iterable(commands):
        takers.setdefault(each.key, []).append(each)
    for every in takers.values():
        kinds = Counter((s.hint, s.default, s.help) for s in every)
        (_, default, _), most = kinds.most_common(1)[0]
        if most >= _SHARED and (len(kinds) == 1 or default is None):
            yield next(s for s in every if s.default == default)


def _table(name: str, settings: Iterable[Setting]) -> str:
    lines = [f"[{name}]"]
    for each in settings:
        if each.help:
            lines += textwrap.wrap(
                each.help, _WIDTH, initial_indent="# ", subsequent_indent="# "
            )
        lines += [line_of(each), ""]
    return "\n".join(lines)


def line_of(setting: Setting) -> str:
    """Return the line of one setting.

    >>> line_of(Setting(("learn",), "turn", "--turn", int, 2000, False, ""))
    '#turn = 2000'
    >>> line_of(Setting(("learn",), "grain", "--grain", int | None, None, False, ""))
    '# grain = <a whole number>'
    """
    if setting.default is None:
        wanted = words_of(setting.hint).removesuffix(" or None")
        return f"# {setting.key} = <{wanted}>"
    return f"#{setting.key} = {_toml(setting.default)}"


def _toml(value: Any) -> str:
    # Texts, numbers, truths and lists of these read alike in JSON and in TOML.
    return json.dumps(value, default=str, ensure_ascii=False)
