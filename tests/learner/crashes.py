"""What a disk may hold after a crash: every state that the calls made so far allow.

After Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014: data reaches the
disk when its file is synced, a name when its folder is; until then any of it may be there or
not, and of data any part, or zeros in its place.
"""

import os
import stat
from contextlib import suppress
from itertools import chain, combinations
from pathlib import Path


class Deeds:
    """Notes what is asked of a file system, in order, while it is done."""

    def __init__(self, monkeypatch, fs=None):
        self.made, self._paths = [], {}
        for name in ("open", "fdopen", "fsync", "replace", "unlink", "remove", "mkdir"):
            done = getattr(os, name)
            monkeypatch.setattr(os, name, getattr(self, f"_{name}")(done))
        if fs is not None:
            monkeypatch.setattr(fs, "pipe_file", self._pipe(fs.pipe_file))

    def note(self, *deed):
        """Note one."""
        self.made.append(deed)

    def _open(self, done):
        def opened(path, flags, *args, **how):
            descriptor = done(path, flags, *args, **how)
            self._paths[descriptor] = str(path)
            if flags & os.O_CREAT:
                self.note("create", str(path))
            return descriptor

        return opened

    def _fdopen(self, done):
        def opened(descriptor, *args):
            file, path = done(descriptor, *args), self._paths[descriptor]
            return _Noting(file, lambda body: self.note("write", path, bytes(body)))

        return opened

    def _fsync(self, done):
        def synced(descriptor):
            done(descriptor)
            here = stat.S_ISDIR(os.fstat(descriptor).st_mode)
            self.note("names" if here else "sync", self._paths[descriptor])

        return synced

    def _replace(self, done):
        return lambda a, b: (done(a, b), self.note("rename", str(a), str(b)))

    def _unlink(self, done):
        return lambda path, **how: (done(path, **how), self.note("unlink", str(path)))

    _remove = _unlink

    def _mkdir(self, done):
        return lambda path, *how: (done(path, *how), self.note("mkdir", str(path)))

    def _pipe(self, done):
        def piped(path, body, **how):
            self.note("create", str(path))
            self.note("write", str(path), bytes(body))
            return done(path, body, **how)

        return piped


class _Noting:
    """A file that tells what is written to it."""

    def __init__(self, file, tell):
        self._file, self._tell = file, tell

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._file.close()

    def __getattr__(self, name):
        return getattr(self._file, name)

    def write(self, body):
        self._tell(body)
        return self._file.write(body)


_NAMES = ("create", "rename", "unlink", "mkdir")


def states(before, deeds, tears):
    """Yield (how many deeds were done, the files by path) for each state after a crash.

    `before` are the files as they were, on disk; `tears` the shares at which data is torn.
    """
    seen = set()
    for done in range(len(deeds) + 1):
        prefix = deeds[:done]
        for lost in _subsets(_pending(prefix)):
            for files in _contents(*_applied(before, prefix, lost), tears):
                key = (done == len(deeds), frozenset(files.items()))
                if key not in seen:
                    seen.add(key)
                    yield done, files


def _pending(prefix):
    """Return which deeds about names no sync of their folder has followed."""
    return [
        n
        for n, (what, path, *_) in enumerate(prefix)
        if what in _NAMES and ("names", os.path.dirname(path)) not in prefix[n:]
    ]


def _subsets(items):
    return chain.from_iterable(combinations(items, n) for n in range(len(items) + 1))


def _applied(before, prefix, lost):
    """Return the names on disk, and of each file what was synced and what was written."""
    files = [[body, body] for body in before.values()]
    live = {path: n for n, path in enumerate(before)}
    disk, gone = dict(live), set()
    for n, (what, path, *rest) in enumerate(prefix):
        kept = n not in lost
        if what == "mkdir" and not kept:
            gone.add(path)
        elif what == "create":
            if path not in live:
                live[path] = len(files)
                files.append([None, b""])
            else:
                files[live[path]][1] = b""  # cut to nothing, in place
            if kept:
                disk[path] = live[path]
        elif what == "write":
            files[live[path]][1] += rest[0]
        elif what == "sync":
            files[live[path]][0] = files[live[path]][1]
        elif what == "rename":
            live[rest[0]] = live.pop(path)
            if kept:
                disk.pop(path, None)
                disk[rest[0]] = live[rest[0]]
        elif what == "unlink":
            live.pop(path, None)
            if kept:
                disk.pop(path, None)
    names = {p: n for p, n in disk.items() if not any(p.startswith(f"{g}/") for g in gone)}
    return names, files


def _contents(names, files, tears):
    """Yield the files with every content that those not synced may have."""
    whole = {path: files[n][1] for path, n in names.items()}
    unsynced = [path for path, n in names.items() if files[n][0] != files[n][1]]
    yield whole
    for path in unsynced:
        synced, body = files[names[path]]
        for other in (synced or b"", b"", bytes(len(body))):
            yield whole | {path: other}
        for share in tears:
            cut = int(len(body) * share)
            yield whole | {path: body[:cut]}
            yield whole | {path: body[:cut] + bytes(len(body) - cut)}


def laid_out(root, files):
    """Make a folder hold these files and no others."""
    root = Path(root)
    for path in sorted(root.rglob("*"), reverse=True):
        with suppress(FileNotFoundError):
            path.rmdir() if path.is_dir() else path.unlink()
    for name, body in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(body)


def files_in(root):
    """Return the files of a folder, by path."""
    return {str(path): path.read_bytes() for path in Path(root).rglob("*") if path.is_file()}
