"""The protocol as bytes: a form goes out, an answer comes in. No I/O.

http       the form, headers, status → error
decoders   the bytes of an answer → text, as they arrive
json_body  the text inside a JSON document that is not whole yet
body       what every answer has in common
pacing     how long to wait before asking again
redaction  secrets out of texts and errors
"""
