import re
from pathlib import Path

from monitor.names import FIGURES
from tools.names import SCRIPT, text


def test_the_page_calls_things_as_the_reports_do():
    """Else 'python -m tools.names' was forgotten."""
    assert SCRIPT.read_text(encoding="utf-8") == text()


def test_no_other_script_of_the_page_names_a_figure():
    """Two lists would drift apart; a word of a sentence is none."""
    names = re.compile("|".join(rf'["`]{re.escape(name)}["`]' for name in FIGURES.values()))
    others = [path for path in Path(SCRIPT).parent.glob("*.js") if path != SCRIPT]
    assert others
    assert [path.name for path in others if names.search(path.read_text())] == []
