"""No message goes to an address inside, whatever name, form or redirection leads there."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from api.relay import addresses
from api.relay.addresses import AddressRefused, is_outside, outside
from api.relay.receiver import Receiver
from tests.api.relay.certificates import Authority
from tests.api.relay.listening import Listener, listening
from tests.api.relay.test_courier import SECRET

HOST = "hooks.telecom.example"
EVENT = (
    b'{"specversion":"1.0","id":"m1","source":"/x","type":"t","datacontenttype":"application/json","data":{}}'
)


def _now() -> datetime:
    """Asked when it is needed: a signature is refused after five minutes."""
    return datetime.now(UTC)


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1", "198.18.0.1",
        "::1", "::", "fe80::1", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
        "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:a00:1::", "2002:7f00:1::1",
        "2001:0:a00:1::", "4000::1",
    ],
)  # fmt: skip
def test_an_address_inside(text: str) -> None:
    assert not is_outside(ipaddress.ip_address(text))
    with pytest.raises(AddressRefused, match=r"not on the public internet\. Allow it with LEAVE=true"):
        outside(HOST, 443, "LEAVE", lambda host, port: ["93.184.216.34", text])


@pytest.mark.parametrize(
    "text",
    ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822", "2002:5db8:d822::"],
)
def test_an_address_outside(text: str) -> None:
    assert is_outside(ipaddress.ip_address(text))
    assert outside(HOST, 443, "LEAVE", lambda host, port: [text]) == [text]


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "127.1", "0", "::1", "fe80::1%lo"]
)
def test_other_ways_to_write_this_machine(host: str) -> None:
    with pytest.raises(AddressRefused):
        outside(host, 80, "LEAVE")


def test_a_name_without_address_is_refused() -> None:
    with pytest.raises(AddressRefused, match="has no address"):
        outside(HOST, 80, "LEAVE", lambda host, port: [])
    with pytest.raises(AddressRefused, match="cannot be resolved"):
        outside("a" * 80 + ".example", 80, "LEAVE")


class Rebinding:
    """A resolver whose answer changes from question to question."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.asked: list[tuple[str, int]] = []
        self._answers = answers

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self._answers[min(len(self.asked), len(self._answers)) - 1]


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine count as one of the public internet, so that a real server can be reached."""
    real = addresses.is_outside
    here = ipaddress.ip_network("127.0.0.0/30")
    monkeypatch.setattr(addresses, "is_outside", lambda ip: ip in here or real(ip))


def url_of(heard: Listener, scheme: str = "http") -> str:
    return f"{scheme}://{HOST}:{urlsplit(heard.url).port}/events"


@pytest.mark.usefixtures("public")
def test_what_was_looked_at_is_what_is_connected_to(tmp_path: Path) -> None:
    """Nobody but the resolver of the test knows the name; over TLS it is still the name that is proved."""
    authority = Authority(tmp_path)
    with listening(SECRET, authority.server(HOST)) as heard:
        url, ask = url_of(heard, "https"), Rebinding(["127.0.0.1"], ["10.0.0.1"])
        receiver = Receiver(url, SECRET, inside=False, ask=ask, tls=authority.trusted)
        first, second = (receiver.send(name, EVENT, _now()) for name in ("m1", "m2"))
        receiver.close()
    assert (first.ok, len(heard.events), heard.wrong) == (True, 1, [])
    assert (second.status, ask.asked) == (0, [(HOST, urlsplit(url).port)] * 2)
    assert "`hooks.telecom.example` is 10.0.0.1" in second.error


@pytest.mark.usefixtures("public")
def test_the_name_is_in_the_header_and_in_the_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with listening(SECRET, authority.server("www.other.example")) as heard:
        ask = Rebinding(["127.0.0.1"])
        receiver = Receiver(url_of(heard, "https"), SECRET, inside=False, ask=ask, tls=authority.trusted)
        answer = receiver.send("m1", b"{}", _now())
        receiver.close()
    assert "certificate verify failed" in answer.error
    assert (heard.events, heard.wrong) == ([], [])


@pytest.mark.usefixtures("public")
def test_an_address_that_is_not_reached_is_passed_over() -> None:
    with listening(SECRET) as heard:
        # The server listens on one address of this machine, not on its others.
        receiver = Receiver(url_of(heard), SECRET, inside=False, ask=Rebinding(["127.0.0.2", "127.0.0.1"]))
        assert receiver.send("m1", EVENT, _now()).ok
        receiver.close()
    assert heard.headers[0]["host"] == f"{HOST}:{urlsplit(heard.url).port}"
    assert len(heard.events) == 1


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nobody_is_followed(status: int) -> None:
    with listening(SECRET) as trap, listening(SECRET) as heard:
        heard.reply = lambda event: (status, None)
        heard.also = {"location": trap.url}
        receiver = Receiver(url_of(heard), SECRET, inside=False, ask=Rebinding(["127.0.0.1"]))
        answer = receiver.send("m1", EVENT, _now())
        receiver.close()
    assert (answer.ok, answer.status) == (False, status)
    assert len(heard.events) == 1
    assert (trap.events, trap.wrong) == ([], [])
