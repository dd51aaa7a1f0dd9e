/**
 * @file The offer: the formats that we ask for, and what of the browser's text the server needs. Pure, no DOM.
 */

/** The header extensions (RFC 8285) that the server uses. */
const EXTENSIONS = new Set([
  "urn:ietf:params:rtp-hdrext:sdes:mid",
  "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
  "urn:3gpp:video-orientation",
  "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
  "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
]);

/** Of them, those that only a publisher of layers uses (RFC 8852). */
const LAYER_EXTENSIONS = new Set([
  "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
  "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
]);

/** Said once for all m-lines, as they share one transport (RFC 8843 section 7.1.3). */
const TRANSPORT = new Set(["ice-ufrag", "ice-pwd", "ice-options", "fingerprint", "setup", "rtcp-mux"]);

/** Of no use to a server with ICE-lite that multiplexes RTCP and reports by itself, or said anew. */
const UNUSED = new Set(["bundle-only", "candidate", "end-of-candidates", "rtcp"]);

/**
 * Whether the server forwards a format; retransmission and sounds with those before them count, other redundancy and other
 * profiles do not.
 *
 * @param {{mimeType: string, sdpFmtpLine?: string}} codec  as in RTCRtpCodec
 * @returns {boolean}
 */
export function isForwarded({ mimeType, sdpFmtpLine = "" }) {
  const value = (name, otherwise) => parameter(sdpFmtpLine, name) ?? otherwise;
  switch (mimeType.toLowerCase()) {
    case "audio/opus":
    case "audio/red": // RFC 2198
    case "video/vp8":
    case "video/rtx":
      return true;
    case "video/vp9":
      return value("profile-id", "0") === "0";
    case "video/av1":
      return value("profile", "0") === "0";
    case "video/h264": // constrained baseline (RFC 6184 section 8.1)
      return value("packetization-mode", "0") === "1" && /^42[4-7c-f]0/i.test(value("profile-level-id", "42e01f"));
    default:
      return false;
  }
}

/**
 * The offer as the server needs it: a BUNDLE offer (RFC 8843) whose m-lines after the first leave out what the first
 * one says, without formats, extensions and feedback that the server does not use. Its answer is an answer to the
 * whole offer, too: a part of what each m-line offers.
 *
 * @param {string} sdp  an offer with `bundlePolicy: "max-bundle"`
 * @returns {string}
 */
export function trimOffer(sdp) {
  const [session, ...media] = sdp.split(/(?=^m=)/m).map((part) => part.split(/\r?\n/).filter(Boolean));
  const time = session.findIndex((line) => line.startsWith("t="));
  const head = [...session.slice(0, time), "c=IN IP4 0.0.0.0", ...session.slice(time)];
  return [...head, ...media.flatMap(trimMedia)].map((line) => `${line}\r\n`).join("");
}

/**
 * Names the screens: of what is sent and of what is received the last video is one (RFC 4796). Browsers have no other word
 * for it.
 *
 * @param {string} sdp  as of `trimOffer`
 * @returns {string}
 */
export function nameScreens(sdp) {
  const parts = sdp.split(/(?=^m=)/m);
  for (const direction of ["sendonly", "recvonly"]) {
    const last = parts.findLastIndex((part) => part.startsWith("m=video") && part.includes(`\r\na=${direction}\r\n`));
    if (last >= 0) parts[last] += "a=content:slides\r\n";
  }
  return parts.join("");
}

function trimMedia([first, ...lines], index) {
  const [kind, port, protocol, ...types] = first.slice(2).split(" ");
  const isMore = index > 0;
  const sends = lines.includes("a=sendonly") || lines.includes("a=sendrecv");
  const { media, kept } = forwardedTypes(kind, types, lines, sends);
  const rest = lines.filter((line) => {
    const { name, value } = attribute(line);
    if (UNUSED.has(name) || (isMore && TRANSPORT.has(name))) return false;
    if (name === "extmap") return isUsedExtension(value, sends);
    // Who receives video measures the round trip with it, to repeat a NACK no sooner (RFC 3611 section 4.4).
    if (name === "rtcp-xr") return kind === "video" && !sends;
    if (name === "ssrc") return / cname:/.test(value);
    if (name === "rtpmap" || name === "fmtp") return kept.includes(firstWord(value));
    return name !== "rtcp-fb" && !line.startsWith("c=");
  });
  const head = `m=${kind} ${isMore ? 0 : port} ${protocol} ${kept.join(" ")}`;
  return [head, ...(isMore ? ["a=bundle-only"] : []), ...rest, ...feedback(lines, media)];
}

/**
 * The payload types of media that the server forwards, and the same with what repeats them: retransmission, and sounds with
 * those before them where they are only received. All where it forwards none, and says so.
 */
function forwardedTypes(kind, types, lines, sends) {
  const values = (wanted) =>
    new Map(
      lines.map(attribute).filter(({ name }) => name === wanted)
        .map(({ value }) => [firstWord(value), value.slice(firstWord(value).length + 1)]),
    );
  const [maps, parameters] = [values("rtpmap"), values("fmtp")];
  const codecOf = (type) => maps.get(type)?.split("/")[0].toLowerCase() ?? "";
  const media = types.filter((type) => {
    const codec = codecOf(type);
    if (codec === "rtx" || codec === "red") return false;
    return isForwarded({ mimeType: `${kind}/${codec}`, sdpFmtpLine: parameters.get(type) });
  });
  const repeated = (type) => {
    const said = parameters.get(type) ?? "";
    if (codecOf(type) === "red" && kind === "audio" && !sends) return said.split("/");
    return codecOf(type) === "rtx" ? [parameter(said, "apt")] : [];
  };
  const repeats = (type) => media.includes(repeated(type)[0]);
  if (media.length === 0) return { media: types, kept: types };
  return { media, kept: types.filter((type) => media.includes(type) || repeats(type)) };
}

/** The feedback lines, as one for all types where all the media agree (RFC 4585 section 4.2). */
function feedback(lines, media) {
  const byValue = new Map();
  for (const { name, value } of lines.map(attribute)) {
    const type = firstWord(value);
    if (name !== "rtcp-fb" || !(media.includes(type) || type === "*")) continue;
    const what = value.slice(type.length + 1);
    byValue.set(what, [...(byValue.get(what) ?? []), type]);
  }
  if (byValue.has("transport-cc")) byValue.delete("goog-remb");
  return [...byValue].flatMap(([what, types]) =>
    (types.length === media.length ? ["*"] : types).map((type) => `a=rtcp-fb:${type} ${what}`),
  );
}

function isUsedExtension(value, sends) {
  const uri = value.split(" ")[1];
  return EXTENSIONS.has(uri) || (sends && LAYER_EXTENSIONS.has(uri));
}

/** The parts of a line `a=name:value`; other lines have no name. */
function attribute(line) {
  const [, name = "", value = ""] = /^a=([^:]+):?(.*)$/.exec(line) ?? [];
  return { name, value };
}

function firstWord(text) {
  return text.split(" ", 1)[0];
}

/** The value of one `fmtp` parameter, or undefined. */
function parameter(line, name) {
  const pairs = line.split(";").map((pair) => pair.trim().split("="));
  return pairs.find(([key]) => key.toLowerCase() === name)?.[1];
}
