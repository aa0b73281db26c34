"""`addresses`: which URLs may be tried and which addresses may be connected to."""

import pytest
from yarl import URL

from dynaspark_core.errors import ForbiddenImageError, ImageError
from dynaspark_core.images.addresses import allowed_url, display_url, parse_url, public_only

PUBLIC = ("8.8.8.8", "1.1.1.1", "93.184.216.34", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e")

NOT_PUBLIC = {
    "loopback": ("127.0.0.1", "127.255.255.254", "::1"),
    "this host": ("0.0.0.0", "0.1.2.3", "::"),
    "private": ("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd00:ec2::254"),
    "link-local": ("169.254.169.254", "fe80::1", "fe80::1%eth0", "fec0::1"),
    "carrier-grade NAT": ("100.64.0.1", "100.100.100.200", "100.127.255.255"),
    "cloud metadata in public form": ("168.63.129.16", "192.0.0.192"),
    "multicast": ("224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1"),
    "reserved": ("240.0.0.1", "255.255.255.255", "192.0.0.1", "192.88.99.1"),
    "documentation": ("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"),
    "benchmarking": ("198.18.0.1", "198.19.255.255", "2001:2::1"),
    "mapped IPv4": ("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:7f00:1"),
    "compatible IPv4": ("::127.0.0.1", "::8.8.8.8"),
    "NAT64": ("64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::a00:1"),
    "6to4": ("2002:7f00:1::", "2002:808:808::1"),
    "Teredo": ("2001:0:53aa:64c:0:0:80ff:fffe", "2001::1"),
    "ORCHID": ("2001:20::1", "2001:3::1"),
    "ISATAP": ("2a00:1450::5efe:7f00:1", "2a00:1450::200:5efe:10.0.0.1"),
    "not assigned": ("4000::1", "100::1", "5f00::1"),
    "other spellings": ("2130706433", "127.1", "0x7f.1", "0177.0.0.1", "0x7f000001", "127.0.0.1 ", "localhost", ""),
}


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address: str) -> None:
    assert public_only(address) is None


@pytest.mark.parametrize(("kind", "address"), [(kind, one) for kind, many in NOT_PUBLIC.items() for one in many])
def test_any_other_address_is_refused(kind: str, address: str) -> None:
    assert public_only(address) is not None, kind


@pytest.mark.parametrize(
    "url",
    [
        "http://pictures.example/cat.png",
        "https://pictures.example:443/cat.png?size=1",
        "https://pictures.example:8443/",
        "HTTP://PICTURES.EXAMPLE/",
        "http://8.8.8.8/cat.png",
        "http://[2606:4700:4700::1111]/cat.png",
        "http://4chan.example/",
        "http://xn--bcher-kva.example/",
    ],
)
def test_an_ordinary_url_may_be_tried(url: str) -> None:
    assert allowed_url(URL(url)) == URL(url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://pictures.example/cat.png", "only http and https"),
        ("file:///etc/passwd", "only http and https"),
        ("gopher://pictures.example/", "only http and https"),
        ("cat.png", "only http and https"),
        ("//pictures.example/cat.png", "only http and https"),
        ("http://user@pictures.example/", "user name or password"),
        ("http://user:secret@pictures.example/", "user name or password"),
        ("http://:secret@pictures.example/", "user name or password"),
        ("http://pictures.example:25/", "ports below 1024"),
        ("http://pictures.example:22/", "ports below 1024"),
        ("http://127.0.0.1/", "no public internet address"),
        ("http://127.0.0.1./", "no public internet address"),
        ("http://[::1]/", "no public internet address"),
        ("http://[::ffff:127.0.0.1]/", "no public internet address"),
        ("http://2130706433/", "usual form"),
        ("http://0x7f.1/", "usual form"),
        ("http://0x7F000001/", "usual form"),
        ("http://0177.0.0.1/", "usual form"),
        ("http://127.1/", "usual form"),
        ("http://127.0x1/", "usual form"),
        ("http://1.2.3.4.5/", "usual form"),
    ],
)
def test_an_unusual_url_is_refused(url: str, reason: str) -> None:
    with pytest.raises(ForbiddenImageError, match=reason):
        allowed_url(URL(url))


def test_the_rule_for_addresses_may_be_another() -> None:
    assert allowed_url(URL("http://127.0.0.1/"), lambda _: None).host == "127.0.0.1"


@pytest.mark.parametrize("text", ["http://[::1", "http://pictures.example:99999/", "http://pictures.example:x/"])
def test_what_is_no_url_is_said_without_repeating_it(text: str) -> None:
    with pytest.raises(ImageError, match=r"^the image's URL cannot be read$"):
        parse_url(text)


@pytest.mark.parametrize("text", ["http://pictures.example:8080/b.png", "http://[2001:db8::1]:81/b.png"])
def test_a_url_is_shown_with_its_port(text: str) -> None:
    assert display_url(URL(text)) == text


def test_a_url_is_shown_without_secrets() -> None:
    assert display_url(URL("https://user:secret@pictures.example/a/b.png?key=secret#secret")) == (
        "https://pictures.example/a/b.png"
    )
