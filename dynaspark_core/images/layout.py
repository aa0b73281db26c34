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

MIN_STRIP = 160
"""Pixels: a narrower strip beside the large pictures holds none."""
MIN_SHARE = 0.25
"""The least scale at which a small picture is drawn; of more than fit so, the oldest are not shown."""

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


def lay_out(
    sizes: Sequence[Size], side: int, pixels: int, *, height: int | None = None, top: int | None = None
) -> Layout:
    """The layout with the largest pictures within `side` pixels a side, or a smaller `height`, and within `pixels`.

    `top` is the greatest number that a label has; by default there are as many labels as pictures.
    A limit too small for any layout gives the one with the smallest pictures.
    """

    def worth(layout: Layout) -> tuple[float, int]:
        return min(box.width / width for box, (width, _) in zip(layout.boxes, sizes, strict=True)), -layout.area

    room = _Room(side, side if height is None else height, pixels, len(sizes) if top is None else top)
    return max((_largest(sizes, room, measure) for measure in MEASURES), key=worth)


@dataclass(frozen=True, slots=True)
class _Room:
    """What a layout may take: width, height and pixels; and the greatest number on a label."""

    width: int
    height: int
    pixels: int
    top: int


def _largest(sizes: Sequence[Size], room: _Room, measure: Measure) -> Layout:
    def fit(most: int) -> Layout | None:
        layouts = _layouts(sizes, most, room, measure)
        fitting = (layout for layout in layouts if layout.height <= room.height and layout.area <= room.pixels)
        return min(fitting, key=lambda layout: layout.area, default=None)

    low, high = 1, min(max(room.width, room.height), max(ceil(measure(*size)) for size in sizes))
    best = fit(high)
    for _ in range(0 if best else STEPS):
        middle = (low + high) // 2
        found = fit(middle)
        best, low, high = (found, middle, high) if found else (best, low, middle)
    return best or next(_layouts(sizes, 1, room, measure))


def _layouts(sizes: Sequence[Size], most: int, room: _Room, measure: Measure) -> Iterator[Layout]:
    """The layouts with pictures that measure at most so much, in several widths and both orders."""
    band = max(22, min(56, most // 10))
    wide, high = room.width - 2 * GAP, room.height - 2 * GAP - band
    scaled = [_scaled(size, min(most / measure(*size), wide / size[0], high / size[1])) for size in sizes]
    cells = [(max(width, label_width(room.top, band)) + GAP, height + band + GAP) for width, height in scaled]
    given = range(len(cells))
    for order in (given, sorted(given, key=lambda index: -cells[index][1])):
        for share in NARROWER:
            places = _skyline(cells, order, max(int((room.width - GAP) * share), *(width for width, _ in cells)))
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


def beside(large: Layout, sizes: Sequence[Size], side: int, pixels: int, top: int) -> Layout | None:
    """The layout with pictures of these sizes in what `large` leaves free, below it or on its right.

    Its boxes are those of `large`, then those of the sizes. None where one of them would be less than `MIN_SHARE` of
    its size.
    """
    found = []
    for left, upper in ((0, large.height), (large.width, 0)):
        width, height = side - left, side - upper
        if min(width, height) < MIN_STRIP:
            continue
        strip = lay_out(sizes, width, pixels - large.area, height=height, top=top)
        shares = [box.width / size for box, (size, _) in zip(strip.boxes, sizes, strict=True)]
        if min(shares) >= MIN_SHARE and strip.width <= width and strip.height <= height:
            found.append((min(shares), _joined(large, strip, left, upper)))
    fitting = [(share, layout) for share, layout in found if layout.area <= pixels]
    return max(fitting, key=lambda entry: (entry[0], -entry[1].area))[1] if fitting else None


def _joined(large: Layout, strip: Layout, left: int, upper: int) -> Layout:
    moved = (Box(box.left + left, box.top + upper, box.width, box.height) for box in strip.boxes)
    width, height = max(large.width, left + strip.width), max(large.height, upper + strip.height)
    return Layout(width, height, min(large.band, strip.band), (*large.boxes, *moved))


def _scaled(size: Size, scale: float) -> Size:
    width, height = size
    scale = min(scale, 1.0)
    return max(1, int(width * scale)), max(1, int(height * scale))
