import Testing
import Wire

@testable import Agents

/// The offers of Tests/Interop/offers, and each m-line of the answers.
@Suite("Answers to clients of others")
struct ClientAnswerTests {
    /// What an answer's m-line says: kind and direction, formats by payload type, feedback, extensions by id, layers; or
    /// why it is refused.
    private static func summary(_ media: SessionDescription.Media) -> String {
        guard media.port != 0 else { return "\(media.kind) refused" }
        let attributes = media.attributes
        let direction = attributes.first { Direction(rawValue: $0.name) != nil }?.name ?? "?"
        let names = attributes.values("rtpmap").map { $0.replacing("/90000", with: "").replacing("/48000/2", with: "") }
        let feedback = attributes.values("rtcp-fb").map { $0.words.dropFirst().joined(separator: "-") }
        let extensions = attributes.values("extmap").map { value in
            "\(value.words[0]) \(HeaderExtension(value).map { "\($0.kind)" } ?? "?")"
        }
        let layers = attributes.values("simulcast") + (attributes.has("ssrc") ? ["ssrc"] : [])
        let xr = attributes.values("rtcp-xr").map { "xr " + $0 }
        return ([media.kind, direction] + names + feedback + extensions + layers + xr).joined(separator: " | ")
    }

    @Test("each m-line of each client", arguments: Self.expected)
    func answers(client: String, lines: [String]) throws {
        let offer = try ClientOffer(client).text
        let negotiation = try negotiate(offer)
        let answer = try SessionDescription(parsing: negotiation.answer)
        #expect(answer.media.map(Self.summary) == lines)
        let offered = try SessionDescription(parsing: offer)
        #expect(answer.media.map(\.proto) == offered.media.map(\.proto))
        #expect(
            answer.media.map { $0.attributes.first("mid")?.value }
                == offered.media.map { $0.attributes.first("mid")?.value })
        let foreign = ["sprop-", "x-google", "max-fs", "rtx-time", "goog-remb", "stereo", "candidate:2087342719"]
        for word in foreign { #expect(!negotiation.answer.contains(word), "\(word) is the offerer's own") }
        let mixed = "a=extmap-allow-mixed"
        #expect(negotiation.answer.contains(mixed) == offer.contains(mixed))
    }

    static let expected: [(String, [String])] = [
        (
            "Chromium",
            [
                "audio | recvonly | 111 opus | transport-cc | 1 audioLevel | 2 absSendTime | "
                    + "3 transportSequence | 4 mid | xr rcvr-rtt=all",
                "video | recvonly | 96 VP8 | 97 rtx | transport-cc | ccm-fir | nack | nack-pli | "
                    + "2 absSendTime | 13 videoOrientation | 3 transportSequence | 4 mid | 10 rid | "
                    + "11 repairedRid | 12 dependencyDescriptor | recv q;h;f | xr rcvr-rtt=all",
                "video | recvonly | 96 VP8 | 97 rtx | transport-cc | ccm-fir | nack | nack-pli | "
                    + "2 absSendTime | 13 videoOrientation | 3 transportSequence | 4 mid | 10 rid | "
                    + "11 repairedRid | 12 dependencyDescriptor | xr rcvr-rtt=all",
                "audio | recvonly | 111 opus | transport-cc | 1 audioLevel | 2 absSendTime | "
                    + "3 transportSequence | 4 mid | xr rcvr-rtt=all",
                "video | sendonly | 96 VP8 | 97 rtx | 103 H264 | 104 rtx | 98 VP9 | 99 rtx | 45 AV1 | "
                    + "46 rtx | transport-cc | ccm-fir | nack | nack-pli | 13 videoOrientation | "
                    + "3 transportSequence | 4 mid | 12 dependencyDescriptor | ssrc | xr rcvr-rtt=all",
            ]
        ),
        (
            "Firefox",
            [
                "audio | recvonly | 109 opus | 1 audioLevel | 3 mid",
                "video | recvonly | 120 VP8 | 124 rtx | transport-cc | ccm-fir | nack | nack-pli | 3 mid | "
                    + "4 absSendTime | 7 transportSequence | 8/recvonly rid | 9/recvonly repairedRid | recv q;h;f",
                "audio | sendonly | 109 opus | 1 audioLevel | 3 mid | ssrc",
                "video | sendonly | 120 VP8 | 124 rtx | 126 H264 | 127 rtx | transport-cc | ccm-fir | "
                    + "nack | nack-pli | 3 mid | 7 transportSequence | ssrc",
            ]
        ),
        (
            "Safari",
            [
                "audio | recvonly | 111 opus | transport-cc | 1 audioLevel | 2 absSendTime | "
                    + "3 transportSequence | 4 mid",
                "video | recvonly | 106 VP8 | 107 rtx | transport-cc | ccm-fir | nack | nack-pli | "
                    + "2 absSendTime | 13 videoOrientation | 3 transportSequence | 4 mid | 10 rid | "
                    + "11 repairedRid | 12 dependencyDescriptor | recv q;h;f",
                "audio | sendonly | 111 opus | 63 red | transport-cc | 1 audioLevel | 3 transportSequence | 4 mid | ssrc",
                "video | sendonly | 98 H264 | 99 rtx | 106 VP8 | 107 rtx | 108 VP9 | 109 rtx | "
                    + "transport-cc | ccm-fir | nack | nack-pli | 13 videoOrientation | 3 transportSequence | "
                    + "4 mid | 12 dependencyDescriptor | ssrc",
            ]
        ),
        (
            "OBS",
            [
                "audio | recvonly | 111 opus",
                "video | recvonly | 96 H264 | nack | nack-pli | 1 mid | 2 rid | recv 0;1;2",
            ]
        ),
        (
            "FFmpeg",
            [
                "audio | recvonly | 111 opus",
                "video | recvonly | 106 H264 | 105 rtx | nack",
            ]
        ),
        (
            "GStreamer",
            [
                "video | recvonly | 96 H264 | 97 rtx | ccm-fir | nack | nack-pli",
                "audio | recvonly | 98 OPUS",
                "video | sendonly | 99 VP8 | nack | nack-pli | ssrc",
            ]
        ),
        (
            "pion",
            [
                "video | sendrecv | 96 VP8 | 97 rtx | 102 H264 | 121 rtx | 98 VP9 | 99 rtx | "
                    + "transport-cc | ccm-fir | nack | nack-pli | 1 transportSequence | ssrc",
                "audio | sendrecv | 111 opus | transport-cc | 1 transportSequence | ssrc",
            ]
        ),
        (
            "aiortc",
            [
                "audio | recvonly | 96 opus | 1 mid | 2 audioLevel",
                "video | recvonly | 97 VP8 | 98 rtx | nack | nack-pli | 1 mid | 3 absSendTime",
                "audio | sendonly | 96 opus | 1 mid | 2 audioLevel | ssrc",
                "video | sendonly | 97 VP8 | 98 rtx | 101 H264 | 102 rtx | nack | nack-pli | 1 mid | "
                    + "3 absSendTime | ssrc",
            ]
        ),
        (
            "libdatachannel",
            [
                "video | sendrecv | 96 H264 | 97 RTX | nack | nack-pli | ssrc",
                "audio | sendrecv | 111 opus | ssrc",
                "application refused",
            ]
        ),
        (
            "mediasoup-client",
            [
                "audio | recvonly | 111 opus | transport-cc | 1 audioLevel | 2 absSendTime | "
                    + "3 transportSequence | 4 mid",
                "video | recvonly | 96 VP8 | 97 rtx | transport-cc | ccm-fir | nack | nack-pli | "
                    + "2 absSendTime | 13 videoOrientation | 3 transportSequence | 4 mid | 10 rid | "
                    + "11 repairedRid | 12 dependencyDescriptor | recv r0;r1;r2",
                "video | recvonly | 96 VP8 | 97 rtx | transport-cc | ccm-fir | nack | nack-pli | "
                    + "2 absSendTime | 13 videoOrientation | 3 transportSequence | 4 mid | 10 rid | "
                    + "11 repairedRid | 12 dependencyDescriptor",
            ]
        ),
        (
            "JsSIP",
            [
                "audio | sendrecv | 111 opus | transport-cc | 1 audioLevel | 2 absSendTime | "
                    + "3 transportSequence | 4 mid | ssrc",
                "video | sendrecv | 96 VP8 | 97 rtx | 103 H264 | 104 rtx | 98 VP9 | 99 rtx | 45 AV1 | "
                    + "46 rtx | transport-cc | ccm-fir | nack | nack-pli | 2 absSendTime | 13 videoOrientation | "
                    + "3 transportSequence | 4 mid | 10 rid | 11 repairedRid | 12 dependencyDescriptor | ssrc",
            ]
        ),
        (
            "Janus",
            [
                "audio | recvonly | 111 opus | transport-cc | 1 audioLevel | 2 absSendTime | "
                    + "3 transportSequence | 4 mid",
                "video | recvonly | 96 VP8 | 97 rtx | transport-cc | ccm-fir | nack | nack-pli | "
                    + "2 absSendTime | 13 videoOrientation | 3 transportSequence | 4 mid | 10 rid | "
                    + "11 repairedRid | 12 dependencyDescriptor | recv l;m;h",
                "application refused",
            ]
        ),
        (
            "LiveKit",
            [
                "application refused",
                "audio | recvonly | 111 opus | transport-cc | 1 audioLevel | 2 absSendTime | "
                    + "3 transportSequence | 4 mid",
                "video | recvonly | 96 VP8 | 97 rtx | transport-cc | ccm-fir | nack | nack-pli | "
                    + "2 absSendTime | 13 videoOrientation | 3 transportSequence | 4 mid | 10 rid | "
                    + "11 repairedRid | 12 dependencyDescriptor | recv q;h;f",
            ]
        ),
    ]
}
