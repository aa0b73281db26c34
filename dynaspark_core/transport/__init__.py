"""The edge: sockets, event loops, threads, clocks, files.

call → endpoint → attempt   one call and its attempts; `endpoint` is the only module that posts
retrying            another attempt, as long as `wire.pacing` says so
sessions            one pool for each event loop
blocking → interrupts   sync over async on one loop of the process; Ctrl-C there
settings            the table: arguments, environment, defaults, with setting_checks
quotas, counters    the limits on requests; where they are counted: memory, or a Redis
tls                 trusted authorities and the client certificate
loading, download   images from bytes, data URI, file, public URL
aiohttp_errors      aiohttp's errors → ours
"""
