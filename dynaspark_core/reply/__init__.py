"""A reply is read back: text → text, calls, a value. It knows nothing of `prompt`.

    plain → prose → shown                          replies without calls
    reader → blocks · fences · react · tokens → own · tags → envelope · sentences · heads · offers
    buffer → places → held · watch                 the text that is not decided, and what has come of the rest
    context → announced                            what stands before a place: a quotation, an announced example
    signs · thoughts · vendors → atoms             what calls, reasoning and other turns look like
    judge → names · arguments                      what may run
    body → written · pythonic · xml                the shapes of calls
    strict_json → lenient_json → lenient_strings   one JSON value
    value → candidates → presented, wrapped   one JSON value of a schema;  stops   where the answer is cut

Its patterns take tens of milliseconds: `prose` is imported with the first stream or reply with a `<`, what reads calls
and values with the first tools or schema, nothing here. It raises nothing for what a model wrote, but for `OutputError`
from `read_object`.
"""
