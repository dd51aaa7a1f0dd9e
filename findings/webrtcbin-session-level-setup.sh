#!/bin/bash
# GStreamer 1.22's webrtcbin refuses an answer whose a=setup stands at the session level alone.
#
# a=setup may stand at the session level or in the m-lines (RFC 4145 section 4), and RFC 9429 section 5.8.1 has it read
# at the session level, as a=fingerprint is. webrtcbin takes a=fingerprint from there; a=setup it looks for in m-lines
# alone, and refuses the description where one lacks it:
#   media 0 is missing or contains an empty 'setup' attribute
# The reply to set-remote-description says that; who does not read it sees a connection that stays in have-local-offer.
# Whoever answers webrtcbin has to repeat a=setup in every m-line.
#
# Seen (2026-11-28, Debian 12, its python3 3.11, amd64):
#   as webrtcbin writes it: taken
#   fingerprint at the session level alone: taken
#   setup at the session level alone: media 0 is missing or contains an empty 'setup' attribute
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
# The newest of Debian 12's security updates then, and the libraries that they load.
packages=(
    gir1.2-gst-plugins-bad-1.0=1.22.0-4+deb12u8 gir1.2-gst-plugins-base-1.0=1.22.0-3+deb12u7
    gir1.2-gstreamer-1.0=1.22.0-2+deb12u1 gstreamer1.0-nice=0.1.21-1 gstreamer1.0-plugins-bad=1.22.0-4+deb12u8
    gstreamer1.0-plugins-good=1.22.0-5+deb12u4 libgstreamer-plugins-bad1.0-0=1.22.0-4+deb12u8
    libgstreamer-plugins-base1.0-0=1.22.0-3+deb12u7 libgstreamer1.0-0=1.22.0-2+deb12u1 libnice10=0.1.21-1
    gir1.2-glib-2.0=1.74.0-3 libgirepository-1.0-1=1.74.0-3 python3-gi=3.42.2-3+b1
    libblkid1 libbrotli1 libcom-err2 libdw1 libelf1 libffi8 libglib2.0-0 libgmp10 libgnutls30 libgssapi-krb5-2
    libgssdp-1.6-0 libgupnp-1.6-0 libgupnp-igd-1.0-4 libhogweed6 libicu72 libidn2-0 libk5crypto3 libkeyutils1
    libkrb5-3 libkrb5support0 libmount1 libnettle8 libnghttp2-14 libnspr4 libnss3 liborc-0.4-0 libp11-kit0
    libpcre2-8-0 libpsl5 libsoup-3.0-0 libsqlite3-0 libsrtp2-1 libssl3 libtasn1-6 libunistring2 libunwind8 libxml2
)
mkdir "$folder/packages" "$folder/plugins"
(cd "$folder/packages" && apt-get download -qq -o APT::Sandbox::User=root "${packages[@]}")
for package in "$folder"/packages/*.deb; do dpkg-deb -x "$package" "$folder/root"; done
libraries=$folder/root/usr/lib/x86_64-linux-gnu
for plugin in coreelements dtls nice rtp rtpmanager srtp webrtc; do
    ln -s "$libraries/gstreamer-1.0/libgst$plugin.so" "$folder/plugins"
done
cat >"$folder/try.py" <<'PYTHON'
import re

import gi

for name in ("Gst", "GstSdp", "GstWebRTC"):
    gi.require_version(name, "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC

CAPS = (
    "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,payload=111,encoding-params=(string)2",
    "application/x-rtp,media=video,encoding-name=VP8,clock-rate=90000,payload=96",
)


def ask(element, signal, argument):
    promise = Gst.Promise.new()
    element.emit(signal, argument, promise)
    promise.wait()
    return promise.get_reply()


def take(element, kind, text):
    """What the element says to the description."""
    result, message = GstSdp.SDPMessage.new_from_text(text)
    assert result == GstSdp.SDPResult.OK
    reply = ask(element, "set-remote-description", GstWebRTC.WebRTCSessionDescription.new(kind, message))
    return reply.get_value("error").message if reply and reply.has_field("error") else "taken"


def at_session_level(sdp, name):
    """The description with this attribute before the first m-line and in none."""
    lines = re.findall(rf"(?m)^a={name}:.*\r\n", sdp)
    head, media = re.split(r"(?m)^(?=m=)", sdp, maxsplit=1)
    return head + lines[0] + re.sub(rf"(?m)^a={name}:.*\r\n", "", media)


def outcome(change):
    """What webrtcbin says to its own answer after the change."""
    pipelines = [Gst.Pipeline.new() for _ in range(2)]
    caller, callee = (Gst.ElementFactory.make("webrtcbin") for _ in range(2))
    for pipeline, element in zip(pipelines, (caller, callee)):
        element.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        pipeline.add(element)
        pipeline.set_state(Gst.State.PLAYING)
    try:
        for caps in CAPS:
            caller.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, Gst.Caps.from_string(caps))
        made = ask(caller, "create-offer", None)
        offer = made.get_value("offer")
        text = offer.sdp.as_text()
        ask(caller, "set-local-description", offer)
        assert take(callee, GstWebRTC.WebRTCSDPType.OFFER, text) == "taken"
        made = ask(callee, "create-answer", None)
        return take(caller, GstWebRTC.WebRTCSDPType.ANSWER, change(made.get_value("answer").sdp.as_text()))
    finally:
        for pipeline in pipelines:
            pipeline.set_state(Gst.State.NULL)


Gst.init(None)
assert Gst.Registry.get().find_plugin("webrtc").get_version() == "1.22.0"
print("as webrtcbin writes it:", outcome(lambda sdp: sdp))
for name in ("fingerprint", "setup"):
    print(f"{name} at the session level alone:", outcome(lambda sdp: at_session_level(sdp, name)))
PYTHON
# In a network of its own, in which there is nobody: libnice looks for routers where it can.
seen=$(
    env -i HOME="$folder" PATH=/usr/bin:/bin GST_REGISTRY_FORK=no \
        PYTHONPATH="$folder/root/usr/lib/python3/dist-packages" \
        LD_LIBRARY_PATH="$libraries:$folder/root/lib/x86_64-linux-gnu" GI_TYPELIB_PATH="$libraries/girepository-1.0" \
        GST_PLUGIN_SYSTEM_PATH="" GST_PLUGIN_PATH="$folder/plugins" GST_REGISTRY="$folder/registry" \
        timeout 60 unshare --map-root-user --net /usr/bin/python3 "$folder/try.py"
)
printf '%s\n' "$seen"
expected="as webrtcbin writes it: taken
fingerprint at the session level alone: taken
setup at the session level alone: media 0 is missing or contains an empty 'setup' attribute"
[[ $seen == "$expected" ]] || { echo "FAIL: this has changed" >&2; exit 1; }
