"""The picture that the doctor shows: one word in black on a ground of one colour, drawn when it is asked for."""

import io

from PIL import Image, ImageDraw, ImageFont

WORD, COLOUR = "ORCHID", "yellow"
QUESTION = "Which word is written in this picture, and what colour is its background?"


def png() -> bytes:
    """The picture, as PNG."""
    image = Image.new("RGB", (480, 240), COLOUR)
    ImageDraw.Draw(image).text((60, 70), WORD, fill="black", font=ImageFont.load_default(84))
    image.save(file := io.BytesIO(), "PNG")
    return file.getvalue()
