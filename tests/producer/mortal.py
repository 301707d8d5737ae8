"""A log in memory that dies on order."""

from stream.memory import MemoryLog


class CrashError(Exception):
    """The end of a process."""


class MortalLog(MemoryLog):
    """A log in memory whose writers die after so many calls, before the call or after it."""

    dies_after, half = None, False

    def writer(self, name):
        writer = super().writer(name)
        left = self.dies_after

        def mortal(call):
            def called(*args, **kwargs):
                nonlocal left
                if left is None:
                    return call(*args, **kwargs)
                left -= 1
                if left < 0 and not self.half:
                    raise CrashError
                call(*args, **kwargs)
                if left < 0:
                    raise CrashError
                return None

            return called

        writer.append, writer.commit = mortal(writer.append), mortal(writer.commit)
        return writer
