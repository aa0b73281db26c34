"""What stands before a place in the shown text, as far as it says whether the place is only quoted.

Quotation signs of any language, backticks, `<code>`, `<pre>`, comments, quoted lines, list points, announced examples.
Nothing is looked at before somebody asks, and each character once.
"""

# ruff: noqa: RUF001 - quotation signs of other languages

import re
from collections.abc import Mapping

from dynaspark_core.reply.announced import ANNOUNCED, ANNOUNCED_CLOSELY, EXAMPLE_ALONE

QUOTATION: Mapping[str, str] = {
    "“": "”", "‘": "’", "„": "“”", "‚": "‘’", "«": "»", "»": "«", "‹": "›", "›": "‹", "「": "」", "『": "』",
    "《": "》", "〈": "〉", "【": "】", "〝": "〞〟", "﹁": "﹂", "”": "”", "’": "’", '"': '"', "'": "'", "＂": "＂",
}  # fmt: skip
"""Opening quotation sign → what closes it: „x“ in German, »x« too, ”x” in Swedish."""
CLOSING = frozenset("".join(QUOTATION.values()))
_AMBIGUOUS = frozenset("\"'‘’”»›＂")
"""Also closing signs, apostrophes or inches: they open only behind a blank or a bracket, and end with their line."""
_OPENS_AFTER = frozenset("([{（<=:,/>-–—")
_INLINE = frozenset({"code", "samp", "kbd", "tt", "q"})
"""Elements that end with their paragraph at the latest."""
_SIGNS = re.compile(
    r"(?P<ticks>`+)|(?P<comment><!--)|(?P<end>-->)"
    r"|<(?P<slash>/?)(?P<element>(?ai:code|pre|samp|kbd|tt|q|xmp|blockquote|textarea|example))(?:\s[^<>]{0,200})?>"
    rf"|(?P<line>\n(?P<blank>[ \t]*\n)?)|(?<!\\)(?P<quote>[{''.join(map(re.escape, sorted({*QUOTATION, *CLOSING})))}])"
)
_POINT = re.compile(r"[ \t]*(?:(?:[-*•‣◦▪●·–—]|\(?\w{1,3}[.)]|\d{1,3}[、．])[ \t]+|[①-⑳])")
_WORD = re.compile(r"[^\W_]")
_SENTENCE_ENDS = frozenset(".!?:…。！？：")
_COLON = re.compile(r"(?<!\W)[^\w:：]*+[:：](?=\W*+\Z)")
"""What ends a line with a colon; behind the colon are no words."""
_GOES_ON = frozenset(" .,;:!?)")
_NEAR = 40
"""How far before an element its sentence is looked for."""
_MAX_OPEN = 32
"""Most quotations, and elements, within one another."""
_TAIL = 400
"""Characters that are kept of the text before, and of the beginning of its last line."""


class Context:
    """`add` the shown text, then ask about the place behind it. `gap` is the blank text up to that place."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self.add = self._pieces.append
        """Adds shown text before the place."""
        self._line = self._tail = self._last = self._end = ""
        self._has_words = False
        self._ticks = 0
        self._quotes: list[str] = []
        self._elements: list[str] = []
        self._mentioned: set[str] = set()

    def begin(self, first: str = "") -> None:
        """Count quotation signs anew: behind an envelope, on whose line `first` stands for what came before."""
        self.look()
        self._tail, self._ticks = "", 0
        self._quotes.clear()
        self._begin_line()
        self._go_on_with(first)

    def is_quoted(self, gap: str = "") -> bool:
        """Whether what comes next is a quotation."""
        self.look()
        if self._elements and ("\n" not in gap or self.is_markup()):
            return True
        if "\n" in gap:
            return bool(self._quotes) and gap.count("\n") == 1 and not _AMBIGUOUS.issuperset(self._quotes)
        return bool(self._ticks or self._quotes) or self._line.lstrip()[:1] in {">", "+", "|"}

    def is_markup(self) -> bool:
        """Whether the place, at the beginning of a line, is inside a comment or an element that shows code."""
        self.look()
        return bool(self._elements) and any(name not in self._mentioned for name in self._elements)

    def is_begun(self) -> bool:
        """Whether anything but blanks stands before the place on its line."""
        self.look()
        return bool(self._last)

    def has_words(self) -> bool:
        """Whether words, or the bracket of an aside, stand before the place on its line."""
        self.look()
        return self._has_words or self._last in {"(", "（"}

    def is_list_point(self) -> bool:
        """Whether these words are in a point of a list."""
        self.look()
        point = _POINT.match(self._line)
        return point is not None and _WORD.search(self._line, point.end()) is not None

    def ends_sentence(self) -> bool:
        """Whether a sentence ends right before the place."""
        self.look()
        return self._last in _SENTENCE_ENDS

    def ends_word(self) -> bool:
        """Whether a letter or a digit is right before the place."""
        end = self._pieces[-1][-1:] if self._pieces else self._end
        return end.isalnum() or end == "_"

    def ends_cased(self) -> bool:
        """Whether a letter of a script with cases is right before the place."""
        self.look()
        return self._end.islower() or self._end.isupper()

    def indent(self) -> int:
        """Blanks before the last line that has words; -1 if there is none."""
        line = self._last_line()
        return len(line) - len(line.lstrip()) if line else -1

    def announces_example(self, *, closely: bool = False) -> bool:
        """Whether the last line that has words announces an example; closely: ends with the word for one, or says what
        a call would be.
        """
        line = self._last_line()
        if not closely and EXAMPLE_ALONE.search(line):
            return True
        colon = _COLON.search(line)
        pattern = ANNOUNCED_CLOSELY if closely else ANNOUNCED
        return colon is not None and pattern.search(line, 0, colon.end() - 1) is not None

    def _last_line(self) -> str:
        self.look()
        return self._tail.rstrip().rpartition("\n")[2]

    def pass_code(self) -> None:
        """Take what was added since the last `look` as code or data: no sign in it means anything behind it."""
        self._end_line(is_blank=False)
        self._go_on_behind(self._taken())

    def look(self) -> None:
        """Look at the text that was added since the last question."""
        if not self._pieces:
            return
        text = self._taken()
        for sign in _SIGNS.finditer(text):
            before = text[sign.start() - 1] if sign.start() else self._end
            self._take(sign, before, text[sign.end() : sign.end() + 1])
        self._go_on_behind(text)

    def _taken(self) -> str:
        text = "".join(self._pieces)
        self._pieces.clear()
        return text

    def _go_on_behind(self, text: str) -> None:
        border = text.rfind("\n")
        if border >= 0:
            self._begin_line()
        self._go_on_with(text[border + 1 :])
        self._tail = (self._tail + text)[-_TAIL:]

    def _begin_line(self) -> None:
        self._line = self._last = self._end = ""
        self._has_words = False

    def _go_on_with(self, text: str) -> None:
        """Take more of the last line. Its beginning is kept, its last character, and the last that is not blank."""
        if len(self._line) < _TAIL:
            self._line = (self._line + text)[:_TAIL]
        self._end = text[-1:] or self._end
        self._last = text.rstrip()[-1:] or self._last
        self._has_words = self._has_words or _WORD.search(text) is not None

    def _take(self, sign: re.Match[str], before: str, after: str) -> None:
        if sign["line"]:
            self._end_line(is_blank=sign["blank"] is not None)
        elif sign["ticks"]:
            run = len(sign["ticks"])
            self._ticks = run if not self._ticks else 0 if run == self._ticks else self._ticks
        elif sign["quote"]:
            self._quote(sign["quote"], before, after)
        elif sign["end"]:
            self._elements = [name for name in self._elements if name != "<!--"]
        elif not self._ticks:
            name = sign["comment"] or sign["element"].lower()
            self._element(name, is_end=bool(sign["slash"]))
            if sign["element"] and not sign["slash"] and after in _GOES_ON and self._is_spoken_of(sign):
                self._mentioned.add(name)

    def _is_spoken_of(self, sign: re.Match[str]) -> bool:
        """Whether words stand before an element in its line: `the <pre> tag` opens none that reaches over the line."""
        lead = sign.string[max(0, sign.start() - _NEAR) : sign.start()]
        is_begun = sign.start() <= _NEAR and "\n" not in lead and self._has_words
        return is_begun or _WORD.search(lead.rpartition("\n")[2]) is not None

    def _end_line(self, *, is_blank: bool) -> None:
        self._ticks = 0
        if self._mentioned:
            self._elements = [name for name in self._elements if name not in self._mentioned]
            self._mentioned.clear()
        if is_blank:
            self._quotes.clear()
            self._elements = [name for name in self._elements if name not in _INLINE]
        else:
            self._quotes = [sign for sign in self._quotes if sign not in _AMBIGUOUS]

    def _element(self, name: str, *, is_end: bool) -> None:
        if not is_end:
            self._elements += [name] if len(self._elements) < _MAX_OPEN else []
        elif name in self._elements:
            self._mentioned.discard(name)
            del self._elements[len(self._elements) - 1 - self._elements[::-1].index(name) :]

    def _quote(self, sign: str, before: str, after: str) -> None:
        if self._quotes and sign in QUOTATION[self._quotes[-1]]:
            if not (sign in "'’" and before.isalnum() and after.isalnum()):
                self._quotes.pop()
            return
        is_first = (not before or before.isspace() or before in _OPENS_AFTER) and not after.isspace()
        is_open = is_first if sign in _AMBIGUOUS else sign in QUOTATION
        if is_open and not self._ticks and len(self._quotes) < _MAX_OPEN:
            self._quotes.append(sign)
