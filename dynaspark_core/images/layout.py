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

SHARES = (1.0, 0.75, 0.5, 0.25)
"""Shares of their size at which small pictures are tried; of more than fit at the least, the oldest are not shown."""

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


def lay_out(sizes: Sequence[Size], side: int, pixels: int, *, top: int | None = None) -> Layout:
    """The layout with the largest pictures within a square of `side` and within `pixels`.

    `top` is the greatest number that a label has; by default there are as many labels as pictures.
    A limit too small for any layout gives the one with the smallest pictures.
    """

    def worth(layout: Layout) -> tuple[float, int]:
        return min(box.width / width for box, (width, _) in zip(layout.boxes, sizes, strict=True)), -layout.area

    room = _Room(side, pixels, len(sizes) if top is None else top)
    return max((_largest(sizes, room, measure) for measure in MEASURES), key=worth)


@dataclass(frozen=True, slots=True)
class _Room:
    """What a layout may take: pixels a side and in all; and the greatest number on a label."""

    side: int
    pixels: int
    top: int


def _largest(sizes: Sequence[Size], room: _Room, measure: Measure) -> Layout:
    def fit(most: int) -> Layout | None:
        layouts = _layouts(sizes, most, room, measure)
        fitting = (layout for layout in layouts if layout.height <= room.side and layout.area <= room.pixels)
        return min(fitting, key=lambda layout: layout.area, default=None)

    low, high = 1, min(room.side, max(ceil(measure(*size)) for size in sizes))
    best = fit(high)
    for _ in range(0 if best else STEPS):
        middle = (low + high) // 2
        found = fit(middle)
        best, low, high = (found, middle, high) if found else (best, low, middle)
    return best or next(_layouts(sizes, 1, room, measure))


def _layouts(sizes: Sequence[Size], most: int, room: _Room, measure: Measure) -> Iterator[Layout]:
    """The layouts with pictures that measure at most so much, in several widths and both orders."""
    band = max(22, min(56, most // 10))
    wide, high = room.side - 2 * GAP, room.side - 2 * GAP - band
    scaled = [_scaled(size, min(most / measure(*size), wide / size[0], high / size[1])) for size in sizes]
    cells = [(max(width, label_width(room.top, band)) + GAP, height + band + GAP) for width, height in scaled]
    given = range(len(cells))
    for order in (given, sorted(given, key=lambda index: -cells[index][1])):
        for share in NARROWER:
            places = _skyline(cells, order, max(int((room.side - GAP) * share), *(width for width, _ in cells)))
            yield _layout_of(places, cells, scaled, band)


def _layout_of(places: Sequence[Size], cells: Sequence[Size], scaled: Sequence[Size], band: int) -> Layout:
    """The layout with the pictures in cells at these places."""
    boxes = (Box(left + GAP, top + GAP + band, *size) for (left, top), size in zip(places, scaled, strict=True))
    right = max(left + width for (left, _), (width, _) in zip(places, cells, strict=True))
    lowest = max(top + height for (_, top), (_, height) in zip(places, cells, strict=True))
    return Layout(right + GAP, lowest + GAP, band, tuple(boxes))


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


def beside(large: Layout, sizes: Sequence[Size], side: int, pixels: int, top: int) -> Layout | None:
    """The layout with pictures of these sizes in what `large` leaves free, below it or on its right.

    Its boxes are those of `large`, then those of the sizes, all at the first of `SHARES` with which they fit; None
    where they fit with none. Searching for more would cost more than it shows.
    """
    for share in SHARES:
        found = []
        for left, upper in ((0, large.height), (large.width, 0)):
            strip = _strip(sizes, share, side - left, large.band, top)
            if upper + strip.height <= side and left + strip.width <= side:
                found.append(_joined(large, strip, left, upper))
        fitting = [layout for layout in found if layout.area <= pixels]
        if fitting:
            return min(fitting, key=lambda layout: layout.area)
    return None


def _strip(sizes: Sequence[Size], share: float, width: int, band: int, top: int) -> Layout:
    """The pictures at this share of their size, side by side on a strip of this width; wider where one is."""
    scaled = [_scaled(size, share) for size in sizes]
    cells = [(max(wide, label_width(top, band)) + GAP, high + band + GAP) for wide, high in scaled]
    places = _skyline(cells, range(len(cells)), max(width - GAP, *(wide for wide, _ in cells)))
    return _layout_of(places, cells, scaled, band)


def _joined(large: Layout, strip: Layout, left: int, upper: int) -> Layout:
    moved = (Box(box.left + left, box.top + upper, box.width, box.height) for box in strip.boxes)
    width, height = max(large.width, left + strip.width), max(large.height, upper + strip.height)
    return Layout(width, height, min(large.band, strip.band), (*large.boxes, *moved))


def _scaled(size: Size, scale: float) -> Size:
    width, height = size
    scale = min(scale, 1.0)
    return max(1, int(width * scale)), max(1, int(height * scale))
