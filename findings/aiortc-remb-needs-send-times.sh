#!/bin/bash
# aiortc 1.16.0 agrees to goog-remb, and sends no REMB where packets carry no abs-send-time.
#
# REMB (draft-alvestrand-rmcat-remb-03) is agreed by goog-remb in a=rtcp-fb. Where the header extension abs-send-time was
# not agreed, aiortc's answer still says goog-remb, its receiver reports come as always, and no REMB ever does. Whoever
# relies on REMB of such a peer has to write send times, or to be content with its reports.
#
# Seen (2026-11-29, Debian 12, Python 3.11), in 5 s of video behind the first report:
#   with abs-send-time: goog-remb agreed True, reports True, REMB True
#   without: goog-remb agreed True, reports True, REMB False
#
# Needs root: the two ends talk in a network namespace of their own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check aiortc==1.16.0
cat >"$folder/try.py" <<'PYTHON'
import asyncio

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import VideoStreamTrack
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, RtcpRrPacket
from av import VideoFrame


class Small(VideoStreamTrack):
    async def recv(self):
        frame = VideoFrame(width=64, height=48, format="yuv420p")
        frame.pts, frame.time_base = await self.next_timestamp()
        return frame


def described(description, has_times):
    lines = [line for line in description.sdp.splitlines(True) if has_times or "abs-send-time" not in line]
    return RTCSessionDescription(type=description.type, sdp="".join(lines))


async def outcome(has_times):
    """What the sender of a video hears of its receiver."""
    caller, callee = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    heard = set()
    try:
        sender = caller.addTrack(Small())
        handle = sender._handle_rtcp_packet

        async def note(packet):
            if isinstance(packet, RtcpRrPacket):
                heard.add("report")
            if isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
                heard.add("remb")
            await handle(packet)

        sender._handle_rtcp_packet = note
        callee.on("track", lambda track: asyncio.ensure_future(consume(track)))
        await caller.setLocalDescription(await caller.createOffer())
        await callee.setRemoteDescription(described(caller.localDescription, has_times))
        await callee.setLocalDescription(await callee.createAnswer())
        answer = described(callee.localDescription, has_times)
        await caller.setRemoteDescription(answer)
        for _ in range(100):
            await asyncio.sleep(0.1)
            if "report" in heard:
                break
        await asyncio.sleep(5)
        agreed = "goog-remb" in answer.sdp
        return f"goog-remb agreed {agreed}, reports {'report' in heard}, REMB {'remb' in heard}"
    finally:
        await caller.close()
        await callee.close()


async def consume(track):
    while True:
        try:
            await track.recv()
        except Exception:
            return


async def main():
    print("with abs-send-time:", await outcome(True))
    print("without:", await outcome(False))


asyncio.run(main())
PYTHON
cat >"$folder/alone" <<'SHELL'
set -e
ip link set lo up
# aiortc has no candidates on the loopback device.
ip link add near type veth peer name far
ip address add 192.0.2.1/24 dev near
ip link set near up
ip link set far up
exec timeout 60 "$@"
SHELL
seen=$(unshare --net bash "$folder/alone" "$folder/venv/bin/python" "$folder/try.py")
printf '%s\n' "$seen"
expected='with abs-send-time: goog-remb agreed True, reports True, REMB True
without: goog-remb agreed True, reports True, REMB False'
[[ $seen == "$expected" ]] || { echo "FAIL: this has changed" >&2; exit 1; }
