"""Positions of the pictures on a sheet: sizes in, positions out. Numbers only.

None is enlarged. All are cut to one common area, or to one common height, the greatest with which the whole fits, so
that a large picture is reduced before a small one is. Of the two, the layout whose smallest scale factor is larger
wins. Then the sheet is made as small as these pictures allow.

The positions are found on a skyline: each picture goes where its upper edge comes highest (Jylänki, "A thousand ways to
pack the bin", 2010, section 6: bottom-left). The pictures are tried in their order and with the tallest first.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, sqrt

GAP = 24
"""Pixels between pictures, and around them."""

STEPS = 12
"""Halvings in the search for the greatest length: of 3,072 pixels, one is given away."""

NARROWER = tuple(share / 20 for share in range(20, 5, -1))
"""Shares of the full width that are tried for a smaller sheet."""

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Box:
    """A picture's position: its left upper corner and its size, in pixels. Its label is in the band above."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Layout:
    """A sheet's size, the height of its labels' bands, and a box for each picture, in the pictures' order."""

    width: int
    height: int
    band: int
    boxes: tuple[Box, ...]

    @property
    def area(self) -> int:
        """Width times height."""
        return self.width * self.height


Measure = Callable[[int, int], float]
"""Width and height → the length that all pictures have in common at most."""

MEASURES: tuple[Measure, ...] = (lambda width, height: sqrt(width * height), lambda _, height: height)


def lay_out(sizes: Sequence[Size], side: int, pixels: int) -> Layout:
    """The layout with the largest pictures within a square of `side` and within `pixels`.

    A limit too small for any layout gives the one with the smallest pictures.
    """

    def worth(layout: Layout) -> tuple[float, int]:
        return min(box.width / width for box, (width, _) in zip(layout.boxes, sizes, strict=True)), -layout.area

    return max((_largest(sizes, side, pixels, measure) for measure in MEASURES), key=worth)


def _largest(sizes: Sequence[Size], side: int, pixels: int, measure: Measure) -> Layout:
    def fit(most: int) -> Layout | None:
        layouts = _layouts(sizes, most, side, measure)
        fitting = (layout for layout in layouts if layout.height <= side and layout.area <= pixels)
        return min(fitting, key=lambda layout: layout.area, default=None)

    low, high = 1, min(side, max(ceil(measure(*size)) for size in sizes))
    best = fit(high)
    for _ in range(0 if best else STEPS):
        middle = (low + high) // 2
        found = fit(middle)
        best, low, high = (found, middle, high) if found else (best, low, middle)
    return best or next(_layouts(sizes, 1, side, measure))


def _layouts(sizes: Sequence[Size], most: int, side: int, measure: Measure) -> Iterator[Layout]:
    """The layouts with pictures that measure at most so much, in several widths and both orders."""
    band = max(22, min(56, most // 10))
    room = side - 2 * GAP
    scaled = [_scaled(size, min(most / measure(*size), room / size[0], (room - band) / size[1])) for size in sizes]
    cells = [(max(width, label_width(len(sizes), band)) + GAP, height + band + GAP) for width, height in scaled]
    given = range(len(cells))
    for order in (given, sorted(given, key=lambda index: -cells[index][1])):
        for share in NARROWER:
            places = _skyline(cells, order, max(int((side - GAP) * share), *(width for width, _ in cells)))
            boxes = (Box(left + GAP, top + GAP + band, *size) for (left, top), size in zip(places, scaled, strict=True))
            right = max(left + width for (left, _), (width, _) in zip(places, cells, strict=True))
            lowest = max(top + height for (_, top), (_, height) in zip(places, cells, strict=True))
            yield Layout(right + GAP, lowest + GAP, band, tuple(boxes))


def _skyline(cells: Sequence[Size], order: Sequence[int], width: int) -> list[tuple[int, int]]:
    """The left upper corner of each cell on a strip of this width."""
    places = [(0, 0)] * len(cells)
    line = [(0, width, 0)]  # stretches of the strip from left to right: start, end, how far down it is taken
    for index in order:
        wide, high = cells[index]
        starts = [start for start, _, _ in line if start + wide <= width]
        top, left = min((max(depth for *_, depth in _between(line, start, start + wide)), start) for start in starts)
        places[index] = (left, top)
        line = [*_between(line, 0, left), (left, left + wide, top + high), *_between(line, left + wide, width)]
    return places


def _between(line: Sequence[tuple[int, int, int]], left: int, right: int) -> Iterator[tuple[int, int, int]]:
    """The part of the line between two positions."""
    for start, end, depth in line:
        if start < right and end > left:
            yield max(start, left), min(end, right), depth


def label_width(count: int, band: int) -> int:
    """The pixels that the longest label takes, with the font at three quarters of the band: about half as wide."""
    return int(len(label(count)) * band * 0.45)


def label(number: int) -> str:
    """The label above picture `number`."""
    return f"image {number}"


def _scaled(size: Size, scale: float) -> Size:
    width, height = size
    scale = min(scale, 1.0)
    return max(1, int(width * scale)), max(1, int(height * scale))
