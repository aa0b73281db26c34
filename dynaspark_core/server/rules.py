"""What the service demands of a request, and how many it takes: limits, key, quota. Numbers only: no I/O, no clock."""

from dataclasses import dataclass

from dynaspark_core.errors import ConfigError
from dynaspark_core.server.origins import check_names

HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings of a service.

    `path` is where the form is posted. With an `api_key` every request must carry it (`api_key` in the query, or a
    Bearer header). `max_file_bytes` and `max_text_bytes` bound the file and each text field.

    `requests_per_hour` is counted, and reported in the headers of every answer. The public service allows
    100; the default is more than a local machine can use up. `requests_at_once` (public service: 10) bounds the
    requests that are being answered at the same time; None sets no bound. A form has to arrive within
    `upload_seconds`.

    While the service listens on this machine only, web pages of others may not ask it: the request's `Host` is a
    loopback one or in `allow_hosts`, and its `Origin` the service's own or in `allow_origins` (`https://app.example`).
    """

    path: str = "/generate_response"
    api_key: str | None = None
    max_file_bytes: int = 20 * 1024 * 1024
    max_text_bytes: int = 8 * 1024 * 1024
    requests_per_hour: int = 1_000_000
    requests_at_once: int | None = None
    upload_seconds: float = 120.0
    allow_hosts: tuple[str, ...] = ()
    allow_origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.path.startswith("/"):
            raise ConfigError(f"path must start with '/': {self.path!r}")
        if self.api_key == "":  # every request would carry it
            raise ConfigError("api_key must not be empty: give a key, or none")
        if self.api_key is not None and not self.api_key.isprintable():  # nobody can send it
            raise ConfigError("api_key is not printable text (its value is not shown); does a line break end it?")
        for name in ("max_file_bytes", "max_text_bytes", "requests_per_hour"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} must not be negative: {getattr(self, name)}")
        if self.requests_at_once is not None and self.requests_at_once < 1:
            raise ConfigError(f"requests_at_once must be at least 1: {self.requests_at_once}")
        check_names(self.allow_hosts, self.allow_origins)


@dataclass(slots=True)
class Quota:
    """A window of one hour that begins with its first request. Times are Unix seconds and given by the caller."""

    limit: int
    used: int = 0
    reset: float = 0.0

    def take(self, now: float) -> bool:
        """Whether one more request is allowed; if so, it is counted."""
        self.refresh(now)
        if self.used >= self.limit:
            return False
        self.used += 1
        return True

    def refresh(self, now: float) -> None:
        """Begin the next window where one is over."""
        if now >= self.reset:
            self.used, self.reset = 0, now + HOUR

    def headers(self) -> dict[str, str]:
        """The three headers of every answer; the reset is a whole Unix second, rounded up."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.limit - self.used),
            "X-RateLimit-Reset": str(-int(-self.reset // 1)),
        }
