"""What is in an image, as text: the words that OCR reads and plain facts. It recognises no things and no people.

Everything here blocks; the engine calls it in a thread.
"""

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from dynaspark_core.server.engines import RefusedError
from dynaspark_core.server.local.packages import rapidocr

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
"""Pillow opens files of these formats only, whatever they are called: for EPS it would start Ghostscript."""
MAX_PIXELS = 40_000_000
"""The largest image that is decoded: 120 MB as RGB."""

_COLOURS = {
    "black": (0, 0, 0), "white": (255, 255, 255), "grey": (128, 128, 128), "red": (220, 30, 30),
    "green": (40, 160, 60), "blue": (40, 80, 210), "yellow": (245, 220, 50), "orange": (245, 140, 30),
    "purple": (130, 50, 160), "pink": (245, 150, 190), "brown": (120, 75, 40), "light blue": (140, 200, 240),
}  # fmt: skip
_MAIN_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """An image's width and height in pixels, its main colours (largest first), and the lines of text in it."""

    width: int
    height: int
    colours: tuple[str, ...]
    lines: tuple[str, ...]

    def describe(self) -> str:
        """The facts in words, for the model's prompt."""
        facts = f"Image: {self.width} x {self.height} pixels, mainly {' and '.join(self.colours)}"
        return "\n".join((facts, "Text in the image:", *(self.lines or ("(none)",))))


class _Found(Protocol):
    """What rapidocr gives: texts and their boxes (four corners, x and y), or None for both."""

    txts: tuple[str, ...] | None
    boxes: list[list[list[float]]] | None


class Ocr:
    """Reads images. The models (PP-OCR, part of the package rapidocr) are loaded when the first image comes."""

    def __init__(self) -> None:
        package = rapidocr()
        runtime = {f"{step}.engine_type": package.EngineType.OPENVINO for step in ("Det", "Cls", "Rec")}
        self._recognize = package.RapidOCR(params={"Global.log_level": "critical"} | runtime)

    def read(self, content: bytes) -> ImageFacts:
        """What is in the image. Raises `RefusedError` (422, 413) for one that cannot be decoded or is too large."""
        import numpy as np  # noqa: PLC0415  # comes with rapidocr

        image = decode_image(content)
        found = cast("_Found", self._recognize(np.asarray(image)[:, :, ::-1]))  # it wants blue first
        return ImageFacts(*image.size, _colours(image), tuple(_lines(found)))


def decode_image(content: bytes) -> "Image":
    """The first frame as RGB; what is transparent is white."""
    from PIL import Image  # noqa: PLC0415  # slow to import, and only images need it

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # remarks on odd but readable files
            with Image.open(io.BytesIO(content), formats=FORMATS) as source:
                if source.width * source.height > MAX_PIXELS:
                    raise RefusedError(413, f"the image has more than {MAX_PIXELS} pixels")
                layer = source.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as exc:
        raise RefusedError(422, f"the file is no image that can be read: {exc}") from exc
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


def _colours(image: "Image") -> tuple[str, ...]:
    """The names of the colours that cover the most; at least one."""
    small = image.resize((48, 48))
    counts: dict[str, int] = {}
    for count, colour in small.getcolors(48 * 48) or ():
        name = _name_of(cast("tuple[int, int, int]", colour))
        counts[name] = counts.get(name, 0) + count
    ranked = sorted(counts, key=lambda name: -counts[name])
    return tuple(name for name in ranked[:3] if counts[name] >= _MAIN_SHARE * 48 * 48) or (ranked[0],)


def _name_of(colour: tuple[int, int, int]) -> str:
    def distance(name: str) -> int:
        return sum((one - other) ** 2 for one, other in zip(colour, _COLOURS[name], strict=True))

    return min(_COLOURS, key=distance)


def _lines(found: _Found) -> Iterator[str]:
    """The texts as lines from the top, those of one height beside each other."""
    if not found.txts or found.boxes is None:
        return
    placed = []
    for text, box in zip(found.txts, found.boxes, strict=True):
        heights = [y for _, y in box]
        placed.append(((min(heights), max(heights)), min(x for x, _ in box), text))
    placed.sort()
    while placed:
        (top, bottom), _, _ = placed[0]
        row = [item for item in placed if item[0][0] < (top + bottom) / 2]
        placed = placed[len(row) :]
        yield "  ".join(text for _, _, text in sorted(row, key=lambda item: item[1]))
