#!/bin/bash
# aiortc 1.16.0 refuses an answer as RFC 9429 section 5.3.1 has it written.
#
# Of m-lines that share one transport (BUNDLE), an answer gives ICE credentials, fingerprint and candidates in the first
# one alone: the attributes of RFC 8859's category TRANSPORT are left out of the others. aiortc bundles too, and its own
# answers repeat the credentials in each m-line; from others it wants that as well, and raises for the second m-line:
#   ValueError: ICE username fragment or password is missing
# Whoever answers aiortc has to repeat a=ice-ufrag and a=ice-pwd in every m-line, rejected ones included. Fingerprint and
# setup may stand at the session level.
#
# Seen (2026-11-28, Debian 12, Python 3.11):
#   as aiortc writes it: taken
#   credentials in the first m-line alone: ValueError: ICE username fragment or password is missing
#   credentials in each, the rest at the session level: taken
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check aiortc==1.16.0
cat >"$folder/try.py" <<'PYTHON'
import asyncio
import re

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

CREDENTIALS = ("a=ice-ufrag", "a=ice-pwd")
CANDIDATES = ("a=candidate", "a=end-of-candidates")
OTHERS = ("a=ice-options", "a=fingerprint", "a=setup")


def without(sdp, dropped, first):
    """The answer without these lines in its m-lines, from number `first` on."""
    parts = re.split(r"(?m)^(?=m=)", sdp)
    kept = [
        part if number <= first else "".join(line for line in part.splitlines(True) if not line.startswith(dropped))
        for number, part in enumerate(parts)
    ]
    return "".join(kept)


def at_session_level(sdp):
    lines = re.findall(r"(?m)^a=(?:fingerprint|setup):.*\r\n", sdp)
    head, media = re.split(r"(?m)^(?=m=)", without(sdp, ("a=fingerprint", "a=setup"), 0), maxsplit=1)
    return head + "".join(dict.fromkeys(lines)) + media


async def outcome(change):
    """What aiortc says to its own answer after the change. Without servers and candidates nothing is sent."""
    caller, callee = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    try:
        for kind in ("audio", "video"):
            caller.addTransceiver(kind)
        await caller.setLocalDescription(await caller.createOffer())
        offer = RTCSessionDescription(type="offer", sdp=without(caller.localDescription.sdp, CANDIDATES, 0))
        await callee.setRemoteDescription(offer)
        await callee.setLocalDescription(await callee.createAnswer())
        text = without(callee.localDescription.sdp, CANDIDATES, 0)
        answer = RTCSessionDescription(type="answer", sdp=change(text))
        try:
            await caller.setRemoteDescription(answer)
            return "taken"
        except ValueError as error:
            return f"ValueError: {error}"
    finally:
        await caller.close()
        await callee.close()


async def main():
    print("as aiortc writes it:", await outcome(lambda sdp: sdp))
    print(
        "credentials in the first m-line alone:",
        await outcome(lambda sdp: without(sdp, CREDENTIALS + OTHERS, 1)),
    )
    print("credentials in each, the rest at the session level:", await outcome(at_session_level))


asyncio.run(main())
PYTHON
seen=$(timeout 60 "$folder/venv/bin/python" "$folder/try.py")
printf '%s\n' "$seen"
expected='as aiortc writes it: taken
credentials in the first m-line alone: ValueError: ICE username fragment or password is missing
credentials in each, the rest at the session level: taken'
[[ $seen == "$expected" ]] || { echo "FAIL: this has changed" >&2; exit 1; }
