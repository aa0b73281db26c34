"""Tools over a text-only channel: how they are asked for in a prompt, and how calls are read back from a reply.

    prompt   section (what is said of tools) · compact (schemas) · history (past calls) · markers (escaping) · repair
    reading  reader → tagged · blocks · react → values · heads → reading · watch · envelopes
    calls    calls (what may run) · objects, pythonic, xml (shapes) → json_values → lenient → strings
    answers  one JSON value of a schema

Reading is imported with the first tools or schema, as its patterns take tens of milliseconds: nothing is imported here.
No I/O, and nothing is raised for what a model wrote, but for `OutputError` from `read_object`.
"""
