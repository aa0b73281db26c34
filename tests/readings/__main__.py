"""Reads every line anew and writes what comes of it: `PYTHONPATH=tests python -m readings`.

A line that differs when it is read in pieces is an error, and is not written.
"""

import sys

from readings.rows import FILES, HERE, lines_of, read_anew

if __name__ == "__main__":
    for name in FILES:
        before = lines_of(name)
        after = []
        for line in before:
            whole, *pieces = read_anew(name, line)
            if any(other != whole for other in pieces):
                sys.exit(f"{name}: pieces change what is read:\n" + "\n".join([whole, *pieces]))
            after.append(whole)
        (HERE / name).write_text("".join(f"{line}\n" for line in after), encoding="utf-8")
        changed = sum(one != other for one, other in zip(before, after, strict=True))
        sys.stdout.write(f"{name}: {changed} of {len(after)} lines are written anew\n")
