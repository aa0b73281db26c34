"""The command line: `python -m dynaspark_core ask "…"`, `… serve` and `… doctor`."""

import argparse
import asyncio
import io
import os
import sys

from dynaspark_core._version import __version__
from dynaspark_core.client import DynasparkClient
from dynaspark_core.content.image_refs import Place, url_ref
from dynaspark_core.errors import ConfigError, DynasparkError
from dynaspark_core.messages import ImageRef


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0; 1 after an error, which is one line on stderr; 2 for wrong usage; 130 after Ctrl-C."""
    options = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a model writes what a terminal may not have
    try:
        return int(options.run(options))
    except BrokenPipeError:  # who read it has enough: `ask … | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the last flush does not fail, too
        return 1
    except (DynasparkError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201  # it is the command's output
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    from dynaspark_core.doctor import command  # noqa: PLC0415  # only the command line needs both
    from dynaspark_core.server import cli  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="python -m dynaspark_core", description="Ask Dynaspark, or serve it locally.")
    parser.add_argument("--version", action="version", version=f"dynaspark-llm {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    ask = commands.add_parser("ask", help="stream the answer to one question to stdout")
    ask.add_argument("question", nargs="?", help="default: read from stdin")
    ask.add_argument("--image", metavar="FILE|URL", help="an image to ask about")
    ask.add_argument("--model", help="default: DYNASPARK_MODEL, or gemini-1.5-flash")
    ask.add_argument("--base-url", help="default: DYNASPARK_BASE_URL, or the public service")
    ask.set_defaults(run=_ask)
    serve = commands.add_parser("serve", help="run a local service with the same protocol")
    cli.add_arguments(serve)
    serve.set_defaults(run=cli.run)
    doctor = commands.add_parser("doctor", help="ask a service in steps, and tell what works and how well")
    command.add_arguments(doctor)
    doctor.set_defaults(run=command.run)
    return parser


def _ask(options: argparse.Namespace) -> int:
    client = DynasparkClient(options.model, base_url=options.base_url)
    question = _from_stdin() if options.question is None else options.question
    if options.image == "":  # as with a variable that is not set
        raise ConfigError("--image is empty; give a file or a URL, or leave it out")
    images = [url_ref(options.image, Place("--image", allow_files=True))] if options.image else []
    asyncio.run(_print(client, question, images))
    return 0


def _from_stdin() -> str:
    if sys.stdin is None:
        raise ConfigError("there is no question and no stdin; give the question as an argument")
    if sys.stdin.isatty():
        print("Type the question, then Ctrl-D (Windows: Ctrl-Z and Enter).", file=sys.stderr)  # noqa: T201  # as above
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as exc:
        raise ConfigError(f"the question on stdin is not text in {sys.stdin.encoding}: {exc.reason}") from exc


async def _print(client: DynasparkClient, question: str, images: list[ImageRef]) -> None:
    async for text in client.stream(question, images=images):
        print(text, end="", flush=True)  # noqa: T201  # it is the command's output
    print()  # noqa: T201  # it is the command's output


if __name__ == "__main__":
    sys.exit(main())
