"""How a long piece of work says how far it is."""

from driftline.progress import bar


def test_elsewhere_than_on_a_terminal_it_says_a_line_every_ten_seconds(monkeypatch, capsys):
    """With the total where it is known."""
    now = [0.0]
    monkeypatch.setattr("driftline.progress.time.monotonic", lambda: now[0])
    with bar("samples") as show:
        for second in range(31):
            now[0] = float(second)
            show(second * 1000, None if second < 15 else 40_000)
    assert capsys.readouterr().err.splitlines() == [
        "samples=10,000 seconds=10",
        "samples=20,000 of 40,000 seconds=20",
        "samples=30,000 of 40,000 seconds=30",
    ]
