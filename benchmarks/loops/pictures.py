"""The pictures that come with a question: printed text on white, drawn when they are asked for."""

import io

from PIL import Image, ImageDraw, ImageFont


def receipt() -> bytes:
    """A receipt, as PNG."""
    return _printed(("MARKET HALL", ""), ("Bread", "3.20"), ("Cheese", "8.40"), ("TOTAL", "11.60"))


def label() -> bytes:
    """The label of a product, as PNG."""
    return _printed(("GARDEN GOODS", ""), ("Article", "P-12"), ("Price", "14.50"))


def sign() -> bytes:
    """The opening hours at a museum's door, as PNG."""
    return _printed(("CLOCK MUSEUM", ""), ("Saturday", "10:00 - 18:00"), ("Sunday", "11:00 - 17:30"))


def _printed(*rows: tuple[str, str]) -> bytes:
    image = Image.new("RGB", (640, 60 + 70 * len(rows)), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(34)
    for number, (left, right) in enumerate(rows):
        draw.text((40, 40 + 70 * number), left, fill="black", font=font)
        draw.text((340, 40 + 70 * number), right, fill="black", font=font)
    image.save(file := io.BytesIO(), "PNG")
    return file.getvalue()
