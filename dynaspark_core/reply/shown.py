"""Text that is shown as it comes, whatever signs are in it: fences, and JSON that is no call."""

import re
from functools import lru_cache

from dynaspark_core.reply.atoms import Sign, ahead, chars, either, group, run, seq, word
from dynaspark_core.reply.buffer import ReplyBuffer
from dynaspark_core.reply.held import Steps
from dynaspark_core.reply.watch import any_of

TICKS = either(chars("`", 3, 40), chars("~", 3, 40))
_INLINE = run("[ \t]", 0, 40)
FENCE = Sign(
    seq(TICKS, _INLINE, group("language", chars(r"[\w+.\-]", 0, 30)), _INLINE,
        either(word("\n"), word("\r\n"), ahead(chars(r"[\[{<]", 1, 1)))),
    "```json\n", "``", "```a b\n",
)  # fmt: skip
FENCE_END = re.compile(r"\n[ \t]{0,12}(?:`{3,40}|~{3,40})[ \t]{0,40}(?=\n|\Z|</?turn[\s>])")
_MAYBE_END = re.compile(r"\n[ \t]{0,12}(?:`{0,40}|~{0,40})[ \t]{0,40}(?:</?(?:t(?:u(?:rn?)?)?)?)?\Z")
JSON_TEXT = Sign(seq(chars(r"[{\[]", 1, 1), chars(r"\s", 0, 24), chars(r"[\"{\[]", 1, 1)), '{"', "[link]", "{x}")
"""How JSON begins, where a list or a set in prose does not."""
_BLANK_LINE = r"\n[ \t]{0,80}\n?"
_IN_OBJECT = re.compile(rf'"(?:[^"\\\n]*+")?|[<{{}}\[\]]|{_BLANK_LINE}')
_IN_STRING = re.compile(rf'"|\\.?|{_BLANK_LINE}', re.DOTALL)
_OF_FENCE, _OF_OBJECT, _OF_STRING = any_of("\n"), any_of('"<{}[]\n'), any_of('"\\\n')


@lru_cache(maxsize=128)
def _end_of(sign: str, count: int) -> re.Pattern[str]:
    """The last line of a fence that so many signs opened: no fewer of the same."""
    return re.compile(rf"\n[ \t]{{0,12}}{sign}{{{count},}}[ \t]{{0,40}}(?=\n|\Z|</?turn[\s>])")


def show_fence(buffer: ReplyBuffer, begin: int, opener: str) -> Steps:
    """Show a fence to its end, as it comes: nothing in it is a call. A shorter fence may be in it."""
    buffer.context.look()
    place, ending = begin, _end_of(opener[0], len(opener) - len(opener.lstrip(opener[0])))
    while (end := ending.search(buffer.text, place)) is None or end.end() >= len(buffer.text):
        border = buffer.text.rfind("\n", place)
        is_held = border >= 0 and _MAYBE_END.match(buffer.text, border)
        place = border if is_held else len(buffer.text)
        buffer.show(place)
        buffer.go_on(place)
        if not (yield from buffer.more_text(None if is_held else buffer.show, _OF_FENCE)):
            break
        place = buffer.scan
    place = end.end() if end is not None else len(buffer.text)
    buffer.show(place)
    buffer.context.pass_code()
    buffer.go_on(place)


def show_object(buffer: ReplyBuffer, at: int) -> Steps:
    """Show JSON that is no call, as it comes: nothing in its strings is a sign. A blank line ends what is no JSON."""
    buffer.context.look()
    place, depth, in_string = at, 0, False
    while True:
        found = (_IN_STRING if in_string else _IN_OBJECT).search(buffer.text, place)
        if found is None or (found.end() >= len(buffer.text) and found[0][0] in "\\\n"):
            place = found.start() if found is not None else len(buffer.text)
            buffer.show_before(place)
            buffer.go_on(place)
            idle = buffer.show_before if found is None else None
            if not (yield from buffer.more_text(idle, _OF_STRING if in_string else _OF_OBJECT)):
                return
            place = buffer.scan
            continue
        char, place = found[0], found.end()
        if char == '"':
            in_string = not in_string
        elif char in "{[":
            depth += 1
        elif char in "}]":
            depth -= 1
        if char == "<" or char.count("\n") > 1 or depth <= 0:
            if char in "}]":
                buffer.show(place)
                buffer.context.pass_code()
            buffer.go_on(place if char in "}]" else found.start())
            return
