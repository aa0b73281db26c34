"""Files in content: text files become text in the prompt, what cannot be sent becomes a mark that names it.

Pure: a file that is named by its path is read by `transport.loading`, everything else is decoded here.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from dynaspark_core.content.image_refs import Block, Place, declared_type, file_name, flatten
from dynaspark_core.errors import ConfigError, ImageError, UnreadableImageError, printable
from dynaspark_core.messages import ImageRef, TextFile

MAX_TEXT_FILE_BYTES = 32_000_000
"""Bytes of one text file, as many as of one image; the prompt holds at most 100,000 characters of it."""
TEXT_TYPES = frozenset(
    f"application/{name}"
    for name in ("csv", "javascript", "json", "markdown", "sql", "toml", "x-ndjson", "x-yaml", "xml", "yaml")
)
TEXT_EXTENSIONS = frozenset(
    (
        *("c", "cfg", "cpp", "css", "csv", "go", "h", "htm", "html", "ini", "java", "js", "json", "jsonl", "log"),
        *("markdown", "md", "py", "rs", "rst", "sh", "sql", "tex", "toml", "ts", "tsv", "txt", "xml", "yaml", "yml"),
    )
)
_UNDECLARED = frozenset({"", "application", "application/octet-stream", "binary/octet-stream"})
PICTURES = ("image", "image_url", "input_image", "computer_screenshot", "image_file", "inline_data", "inlineData")
"""Types of blocks that hold a picture, or any file."""
_WORDS = {
    **dict.fromkeys(("resource_link", "resource", "input_file", "media", "file_data", "fileData", "document"), "file"),
    **dict.fromkeys(PICTURES, "image"),
}
"""Types of blocks that have a shorter name for a reader."""
MAX_FACT_CHARACTERS = 200


def is_text(declared: str, name: str = "") -> bool:
    """Whether a file is text, as its declared content type says; without one, as its name's extension says."""
    kind = declared.partition(";")[0].strip().lower()
    if kind in _UNDECLARED:
        return "." in name and name.rpartition(".")[2].lower() in TEXT_EXTENSIONS
    return kind.startswith("text/") or kind in TEXT_TYPES or kind.endswith(("+json", "+xml"))


def names_text(block: Block, known: Block) -> bool:
    """Whether the block is a text file: by its type, the name that it gives, or the end of its address."""
    declared = declared_type(known)
    if isinstance(form := known.get("format"), str) and not declared:
        return form.lower() in TEXT_EXTENSIONS
    return is_text(declared, file_name(block, known) or _address(known))


def read_text_file(ref: ImageRef, name: str, place: Place) -> TextFile:
    """The text file at a reference.

    Raises `ConfigError` for a web address, UnreadableImageError for what is no text, ImageError for what is too large.
    """
    if ref.kind == "path" and isinstance(ref.source, str):
        return TextFile(name or ref.source.replace("\\", "/").rpartition("/")[2], path=ref.source)
    return TextFile(name, decode_text(_data_of(ref, place), place.name))


def _data_of(ref: ImageRef, place: Place) -> bytes:
    from dynaspark_core.images import encoded  # noqa: PLC0415  # with all of `images`, a good part of the import

    if isinstance(ref.source, bytes) and ref.kind == "bytes":
        return ref.source
    if ref.kind == "url" and not str(ref.source)[:5].lower() == "data:":
        raise ConfigError(f"{place.name} is the web address of a text file, which is not fetched: give its text")
    try:
        return encoded.from_base64(ref.source, MAX_TEXT_FILE_BYTES)
    except ImageError as exc:
        raise type(exc)(f"{place.name}: {exc}") from exc


def decode_text(data: bytes, name: str) -> str:
    """The text of a file in UTF-8, UTF-16 with its mark, or as Windows writes it in western Europe."""
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16", "replace")
    if b"\0" in data:
        raise UnreadableImageError(f"{name} is declared as text but contains bytes that are not text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def not_shown(kind: str, name: str = "", declared: str = "", address: str = "") -> str:
    """What the prompt says instead of what is not sent: `[file: doc.md, text/markdown, https://… - not shown]`.

    Addresses lose their query. Whether the file exists is not said: nothing was opened.
    """
    facts = [name or "unnamed", declared, _without_query(address)]
    shown = ", ".join(printable(fact[:MAX_FACT_CHARACTERS]) for fact in facts if fact)
    return f"[{printable(kind[:40]) or 'block'}: {shown} – not shown]"  # noqa: RUF001  # the dash of other marks


def block_not_shown(block: Block) -> str:
    """The mark for a content block that cannot be sent."""
    known = flatten(block)
    kind = block.get("type") or next((key for key in block if isinstance(key, str)), "block")
    declared = declared_type(known)
    medium = declared.partition("/")[0]
    word = medium if medium in {"image", "audio", "video"} else _WORDS.get(str(kind), str(kind))
    return not_shown(word, file_name(block, known), declared, _address(known))


def _address(known: Mapping[str, Any]) -> str:
    keys = ("url", "uri", "image_url", "file_url", "file_uri", "fileUri", "audio_url", "video_url")
    return next((value for key in keys if isinstance(value := known.get(key), str)), "")


def _without_query(address: str) -> str:
    """A web address without user, query and fragment; nothing of any other, which may name a file of this machine."""
    try:
        parts = urlsplit(address)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if is_web else ""
