import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./client.mjs";

const { isForwarded, nameScreens, trimOffer } = await load("offer");

const VIDEO = `a=extmap:14 urn:ietf:params:rtp-hdrext:toffset
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
a=rtcp-mux
a=rtcp-rsize
a=rtcp-xr:rcvr-rtt=all
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 transport-cc
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:100 VP9/90000
a=rtcp-fb:100 transport-cc
a=fmtp:100 profile-id=2
a=rtpmap:101 rtx/90000
a=fmtp:101 apt=100
a=rtpmap:108 H264/90000
a=rtcp-fb:108 goog-remb
a=rtcp-fb:108 transport-cc
a=rtcp-fb:108 nack
a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=rtpmap:118 red/90000`;

const TRANSPORT = `a=ice-ufrag:abcd
a=ice-pwd:0123456789012345678901
a=ice-options:trickle
a=fingerprint:sha-256 00:11
a=setup:actpass`;

/** An offer in the style of Chromium: sound, a camera in three layers, and Slots. */
function offer(slots = 1) {
  const audio = `m=audio 9 UDP/TLS/RTP/SAVPF 111 63
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
${TRANSPORT}
a=mid:0
a=sendonly
a=msid:- track
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=ssrc:7 cname:x
a=ssrc:7 msid:- track`;
  const video = (mid, rest) => `m=video 9 UDP/TLS/RTP/SAVPF 96 97 100 101 108 118
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
${TRANSPORT}
a=bundle-only
a=mid:${mid}
${VIDEO}
${rest}`;
  const media = [audio, video(1, "a=sendonly\na=rid:q send\na=rid:f send\na=simulcast:send q;f")];
  for (let mid = 2; mid < 2 + slots; mid += 1) media.push(video(mid, "a=recvonly"));
  const mids = media.map((_, mid) => mid).join(" ");
  const session = `v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\nt=0 0\na=group:BUNDLE ${mids}\na=extmap-allow-mixed`;
  return `${[session, ...media].join("\n")}\n`.replaceAll("\n", "\r\n");
}

const parts = (sdp) => sdp.split(/(?=^m=)/m).map((part) => part.split("\r\n").filter(Boolean));

test("the transport is told once, and the m-lines that share it say so", () => {
  const [session, audio, ...videos] = parts(trimOffer(offer(2)));
  assert.deepEqual(session.slice(0, 5), ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "c=IN IP4 0.0.0.0", "t=0 0"]);
  assert.ok(session.includes("a=group:BUNDLE 0 1 2 3") && session.includes("a=extmap-allow-mixed"));
  const told = [...TRANSPORT.split("\n"), "a=rtcp-mux", "a=ssrc:7 cname:x"];
  for (const line of told) assert.ok(audio.includes(line), line);
  assert.equal(videos.length, 3);
  for (const video of videos) {
    assert.match(video[0], /^m=video 0 /);
    assert.equal(video.filter((line) => line === "a=bundle-only").length, 1);
    assert.doesNotMatch(video.join("\n"), /ice-|fingerprint|setup|rtcp-mux|c=IN/);
  }
});

test("formats that the server does not forward are left out, with what is said of them", () => {
  const [, audio, camera] = parts(trimOffer(offer()));
  assert.equal(audio[0], "m=audio 9 UDP/TLS/RTP/SAVPF 111");
  assert.equal(camera[0], "m=video 0 UDP/TLS/RTP/SAVPF 96 97 108");
  assert.deepEqual(camera.filter((line) => /^a=(rtpmap|fmtp)/.test(line)), [
    "a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96", "a=rtpmap:108 H264/90000",
    "a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
  ]);
});

test("feedback that all formats share is said once, what one has alone stays its own", () => {
  const [, , camera] = parts(trimOffer(offer()));
  const lines = camera.filter((line) => line.startsWith("a=rtcp-fb"));
  assert.deepEqual(lines, ["a=rtcp-fb:* transport-cc", "a=rtcp-fb:* nack", "a=rtcp-fb:96 nack pli"]);
  const [, , other] = parts(trimOffer(offer().replace(/^a=rtcp-fb:108 .*\r\n/gm, "")));
  assert.ok(other.includes("a=rtcp-fb:96 nack") && !other.includes("a=rtcp-fb:* nack"));
});

test("extensions stay where the server uses them, those of layers where somebody publishes", () => {
  const [, , camera, slot] = parts(trimOffer(offer()));
  const ids = (part) => part.flatMap((line) => /^a=extmap:(\d+)/.exec(line)?.[1] ?? []);
  assert.deepEqual([ids(camera), ids(slot)], [["3", "4", "10"], ["3", "4"]]);
  const kept = ["a=mid:1", "a=sendonly", "a=simulcast:send q;f", "a=rtcp-rsize"];
  for (const line of kept) assert.ok(camera.includes(line), line);
});

test("sounds may come with those before them where they are received, and are not sent so", () => {
  const [, sent] = parts(trimOffer(offer(0)));
  assert.equal(sent[0], "m=audio 9 UDP/TLS/RTP/SAVPF 111");
  const [, received] = parts(trimOffer(offer(0).replace("a=sendonly", "a=recvonly")));
  assert.equal(received[0], "m=audio 9 UDP/TLS/RTP/SAVPF 111 63");
  for (const line of ["a=rtpmap:63 red/48000/2", "a=fmtp:63 111/111"]) assert.ok(received.includes(line), line);
  // Of a format that is not ours.
  const [, other] = parts(trimOffer(offer(0).replace("a=sendonly", "a=recvonly").replace("111/111", "9/9")));
  assert.equal(other[0], "m=audio 9 UDP/TLS/RTP/SAVPF 111");
});

test("an m-line of which the server forwards nothing keeps its formats, so that it can be refused", () => {
  const odd = offer(0).replace("111 63", "63").replace(/^a=(rtpmap|fmtp):111.*\r\n/gm, "");
  const [, audio] = parts(trimOffer(odd));
  assert.equal(audio[0], "m=audio 9 UDP/TLS/RTP/SAVPF 63");
  assert.ok(audio.includes("a=rtpmap:63 red/48000/2"));
});

test("the whole is less than half, with every m-line in its place", () => {
  const whole = offer(26);
  const trimmed = trimOffer(whole);
  assert.ok(trimmed.length * 2 < whole.length, `${trimmed.length} of ${whole.length}`);
  assert.deepEqual(parts(trimmed).length, parts(whole).length);
});

test("the formats are those that the server forwards", () => {
  const forwarded = [
    ["audio/opus", "minptime=10"], ["audio/red", "111/111"], ["video/VP8"], ["video/rtx"], ["video/VP9"], ["video/VP9", "profile-id=0"],
    ["video/AV1", "level-idx=5;profile=0;tier=0"], ["video/H264", "packetization-mode=1;profile-level-id=42e01f"],
    ["video/H264", "profile-level-id=42C02A; packetization-mode=1"],
  ];
  const others = [
    ["audio/PCMU"], ["video/red"], ["video/ulpfec"], ["video/flexfec-03"], ["video/VP9", "profile-id=2"],
    ["video/AV1", "profile=1"], ["video/H264", "packetization-mode=0;profile-level-id=42e01f"],
    ["video/H264", "packetization-mode=1;profile-level-id=42001f"],
    ["video/H264", "packetization-mode=1;profile-level-id=4d001f"], ["video/H265"],
  ];
  for (const [mimeType, sdpFmtpLine] of forwarded) assert.ok(isForwarded({ mimeType, sdpFmtpLine }), mimeType);
  for (const [mimeType, sdpFmtpLine] of others) assert.ok(!isForwarded({ mimeType, sdpFmtpLine }), mimeType);
});

test("who receives video asks for the round trip, and nobody else does", () => {
  const [, audio, camera, slot] = parts(trimOffer(offer()));
  const asks = (part) => part.includes("a=rtcp-xr:rcvr-rtt=all");
  assert.deepEqual([audio, camera, slot].map(asks), [false, false, true]);
});

test("the last video that is sent, and the last that is received, are a screen's", () => {
  const lines = (kind, direction) => `m=${kind} 9 UDP/TLS/RTP/SAVPF 96\r\na=${direction}\r\na=rtcp-rsize\r\n`;
  const parts = [
    ["audio", "sendonly"], ["video", "sendonly"], ["video", "recvonly"], ["video", "recvonly"], ["audio", "sendonly"],
    ["video", "sendonly"],
  ].map(([kind, direction]) => lines(kind, direction));
  const named = nameScreens(`v=0\r\n${parts.join("")}`).split(/(?=^m=)/m).slice(1);
  assert.deepEqual(named.map((part) => part.includes("a=content:slides")), [false, false, false, true, false, true]);
  assert.ok(named[5].endsWith("a=content:slides\r\n"));
});
