"""A real MCP server over stdio: a text, several texts, a picture, a link and an error."""

import struct
import zlib

from mcp.server.fastmcp import FastMCP
from mcp.server.fastmcp.utilities.types import Image
from mcp.types import ResourceLink

server = FastMCP("things")


def png() -> bytes:
    """A red picture of 4 by 4 pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress((b"\0" + b"\xff\0\0" * 4) * 4))
    return b"\x89PNG\r\n\x1a\n" + head + pixels + chunk(b"IEND", b"")


@server.tool()
def weather(city: str) -> str:
    """The weather in a city."""
    return f"Rain in {city}."


@server.tool()
def files() -> list[str]:
    """The names of the files."""
    return ["a.txt", "b.csv"]


@server.tool()
def look() -> Image:
    """A picture."""
    return Image(data=png(), format="png")


@server.tool()
def link() -> ResourceLink:
    """Where a document is."""
    return ResourceLink(
        type="resource_link", uri="https://docs.example/doc.md", name="doc.md", mimeType="text/markdown"
    )


@server.tool()
def fail() -> str:
    """Fails."""
    raise ValueError("no network")


if __name__ == "__main__":
    server.run()
