"""Install what a `make` target needs: say what it is and how far it is, and name a failure's cause in one line.

    python .ci/install.py "What is installed, how large, how long." PIP-ARGUMENT...

The exit code is pip's; 130 after Ctrl-C. Nothing but the standard library is needed.
"""

import re
import subprocess
import sys
import time

NO_NETWORK = re.compile(r"connection broken by|Failed to establish a new connection|Name or service not known")
AGAIN = "Run the same command again; it continues from here."


def main(what: str, *arguments: str) -> int:
    """The exit code."""
    print(what, flush=True)
    started = time.monotonic()
    command = [sys.executable, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", *arguments]
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
            said = _followed(pip)
    except KeyboardInterrupt:
        print(f"\nInterrupted. {AGAIN}", file=sys.stderr)
        return 130
    if pip.returncode:
        print(_reason(said), file=sys.stderr)
    else:
        print(f"  installed in {time.monotonic() - started:.0f} s", flush=True)
    return pip.returncode


def _followed(pip: "subprocess.Popen[str]") -> list[str]:
    """What pip said; each download and the last step are printed as they begin."""
    assert pip.stdout is not None  # it is a pipe
    lines = []
    for line in pip.stdout:
        lines.append(line.strip())
        if found := re.match(r"Downloading (?:\S*/)?(\S+?)(?:-\d\S*)? \((.+)\)", line.strip()):
            print(f"  downloading {found[1]}, {found[2]}", flush=True)
        elif line.startswith("Installing collected packages"):
            print(f"  installing {line.count(',') + 1} packages", flush=True)
    return lines


def _reason(lines: list[str]) -> str:
    """One line: the cause and the way out."""
    if any(map(NO_NETWORK.search, lines)):
        return f"Cannot reach the package index. Check the network or the proxy (HTTPS_PROXY, PIP_INDEX_URL). {AGAIN}"
    errors = [line for line in lines if line.startswith("ERROR: ")] or lines[-1:]
    return f"pip cannot install this: {errors[-1].removeprefix('ERROR: ') if errors else 'it said nothing'}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
