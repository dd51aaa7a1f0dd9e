#!/bin/bash
# aiortc 1.16.0 takes retransmissions (RFC 4588) for one video m-line of a BUNDLE, and drops them when there are two.
#
# aiortc negotiates rtx for each video m-line, with the same payload type, and reads the answer's a=ssrc-group:FID. Its
# router of packets learns the first SSRC of each m-line from the answer, though, and not that of the retransmissions. A
# packet of another SSRC is given to the one m-line that its payload type belongs to; when it belongs to several, nothing
# decides (a MID in the packet is not looked at), and it is discarded without a word. The receiver asks by NACK once for
# each gap, so that its jitter buffer then stands at the gap until 512 packets have come behind it.
# Whoever sends several pictures to aiortc does better without rtx, which repeats a packet on its own SSRC.
#
# Seen (2026-11-28, Debian 12, Python 3.11):
#   1 video: media taken True, retransmission taken True
#   2 videos: media taken True, retransmission taken False
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check aiortc==1.16.0
cat >"$folder/try.py" <<'PYTHON'
import asyncio
import re
import struct

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import VideoStreamTrack


async def outcome(count):
    """What the receiver's first video takes of a packet of its own sender's two streams."""
    caller, callee = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    try:
        for _ in range(count):
            caller.addTransceiver("video", direction="recvonly")
        connected = asyncio.Event()

        def changed():
            if caller.connectionState == callee.connectionState == "connected":
                connected.set()

        for connection in (caller, callee):
            connection.on("connectionstatechange", changed)
        await caller.setLocalDescription(await caller.createOffer())
        await callee.setRemoteDescription(caller.localDescription)
        for transceiver in callee.getTransceivers():
            transceiver.sender.replaceTrack(VideoStreamTrack())
            transceiver.direction = "sendonly"
        await callee.setLocalDescription(await callee.createAnswer())
        answer = callee.localDescription.sdp
        await caller.setRemoteDescription(RTCSessionDescription(type="answer", sdp=answer))
        await asyncio.wait_for(connected.wait(), 20)
        media, repeated = map(int, re.search(r"a=ssrc-group:FID (\d+) (\d+)", answer).groups())
        types = {name: int(number) for number, name in re.findall(r"a=rtpmap:(\d+) (\w+)/90000", answer.split("m=")[1])}
        receiver = caller.getReceivers()[0]
        taken = set()

        async def note(packet, arrival_time_ms):
            taken.add(packet.ssrc)

        receiver._handle_rtp_packet = note
        transport = callee.getSenders()[0].transport
        for payload_type, ssrc in ((types["VP8"], media), (types["rtx"], repeated)):
            # A number, a timestamp, and a payload as RFC 4588 and RFC 7741 have it: all that matters is the way it takes.
            packet = struct.pack("!BBHII", 0x80, 0x80 | payload_type, 1000, 90000, ssrc) + bytes([3, 231, 0x10, 0])
            await transport._send_rtp(packet)
        deadline = asyncio.get_running_loop().time() + 2
        while len(taken & {media, repeated}) < 2 and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.05)
        return f"media taken {media in taken}, retransmission taken {repeated in taken}"
    finally:
        await caller.close()
        await callee.close()


async def main():
    print("1 video:", await outcome(1))
    print("2 videos:", await outcome(2))


asyncio.run(main())
PYTHON
# In a network namespace of its own, as aiortc does not use loopback addresses.
seen=$(unshare --map-root-user --net timeout 120 bash -c '
    ip link set lo up; ip link add here type veth peer name there
    ip address add 192.0.2.1/24 dev here; ip link set here up; ip link set there up
    exec "$@"' bash "$folder/venv/bin/python" "$folder/try.py")
printf '%s\n' "$seen"
expected='1 video: media taken True, retransmission taken True
2 videos: media taken True, retransmission taken False'
[[ $seen == "$expected" ]] || { echo "FAIL: this has changed" >&2; exit 1; }
