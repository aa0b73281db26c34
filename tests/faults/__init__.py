"""Ways in which a host breaks: a server that does them (`server`), the table (`rows`), who meets them (`surfaces`).

`python -m faults`, with `tests` on the path, prints what each class of fault ends in.
"""
