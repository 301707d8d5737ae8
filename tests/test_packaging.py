"""What is installed is all there is."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("monitor/static", "driftline/static")


def test_the_wheel_has_every_file_of_the_pages(tmp_path):
    """A page that is installed has its styles, scripts, charts, and their licences."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=100)
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    ours = {
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    }
    assert len(ours) > 10
    assert ours <= packed
    assert "driftline/commands/report.py" in packed
