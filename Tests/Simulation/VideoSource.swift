import Mailbox
import Testing
import Wire

@testable import Dataplane

/// A publisher of one video stream in any codec, as browsers packetize it: each frame refers to the one before.
struct VideoSource {
    /// How a stream is made.
    struct Format: Sendable, CustomTestStringConvertible {
        var codec: Codec
        /// With a dependency descriptor. VP8 then leaves its own counters out, as browsers do.
        var describes: Bool
        /// Bits of VP8's and VP9's picture ids.
        var pictureBits = 15

        var testDescription: String {
            "\(codec), \(pictureBits)-bit picture ids, \(describes ? "with" : "without") descriptor"
        }
    }

    let peer: Peer
    let track: TrackHandle
    let format: Format
    let ssrc: UInt32
    private let number: UInt8
    private var index: UInt64
    private var timestamp: UInt32
    private var picture: UInt16
    private var temporal: UInt8
    private var frameNumber: UInt16
    /// The same structure keeps its ids, and all sources begin with 0, as browsers do.
    private let structureOffset: UInt8 = 0
    private(set) var frames: UInt16 = 0

    static func payloadType(_ codec: Codec) -> UInt8 { 96 + codec.rawValue * 2 }

    /// `number`: of the peer, the Track and the content. All counters begin anywhere.
    init(_ world: World, number: UInt8, format: Format, worker: Int = 0) {
        var ids = Peer.defaultExtensions
        ids.dependencyDescriptor = 12
        peer = Peer(world, worker: worker, index: UInt32(number), extensions: ids)
        self.number = number
        self.format = format
        track = TrackHandle(worker: UInt8(worker), index: UInt32(number), generation: world.nextGeneration())
        ssrc = 10_000 + UInt32(number) * 100
        index = world.random.next() & 0x7fff
        timestamp = UInt32(truncatingIfNeeded: world.random.next())
        picture = UInt16(truncatingIfNeeded: world.random.next())
        temporal = UInt8(truncatingIfNeeded: world.random.next())
        frameNumber = UInt16(truncatingIfNeeded: world.random.next())
        let type = Self.payloadType(format.codec)
        peer.retransmission[ssrc] = (ssrc + 50, type + 1)
        var layers = InlineArray<3, LayerDescription>(repeating: LayerDescription())
        layers[0] = LayerDescription(ssrc: ssrc, rtxSsrc: ssrc + 50)
        world.command(
            worker,
            .openTrack(
                OpenTrack(
                    track: track, source: .session(peer.session), mid: ShortText("v\(number)")!, kind: .video,
                    codec: format.codec, payloadTypes: PayloadTypes(media: type, rtx: type + 1), layers: layers,
                    layerCount: 1)))
        world.run(2)
        for _ in 0..<3 {
            // One may be lost.
            peer.check()
            world.run(30)
        }
    }

    /// Sends a frame; a keyframe when the worker asked for one.
    mutating func frame(keyframe: Bool = false, packets: Int = 3) {
        let isKeyframe = keyframe || frames == 0 || !peer.keyframeRequests.isEmpty
        peer.keyframeRequests = []
        timestamp &+= 3_000
        picture &+= 1
        temporal &+= 1
        frameNumber &+= 1
        frames += 1
        for packet in 0..<packets {
            let (isFirst, isLast) = (packet == 0, packet == packets - 1)
            peer.sendRTP(
                ssrc: ssrc, payloadType: Self.payloadType(format.codec), index: index, timestamp: timestamp,
                marker: isLast,
                payload: header(isKeyframe: isKeyframe, isFirst: isFirst, isLast: isLast) + content(packet),
                descriptor: format.describes ? descriptor(isKeyframe, isFirst, isLast) : nil)
            index += 1
        }
    }

    /// Which source, frame and packet it is: what must come out as it went in.
    private func content(_ packet: Int) -> [UInt8] {
        [UInt8](repeating: 0xa0, count: 60) + [number, UInt8(frames >> 8), UInt8(frames & 0xff), UInt8(packet)]
    }

    private var pictureID: [UInt8] {
        format.pictureBits == 15 ? [0x80 | UInt8(picture >> 8 & 0x7f), UInt8(picture & 0xff)] : [UInt8(picture & 0x7f)]
    }

    private func header(isKeyframe: Bool, isFirst: Bool, isLast: Bool) -> [UInt8] {
        let start: UInt8 = isFirst ? 1 : 0
        switch format.codec {
        case .vp8:
            let vp8: [UInt8] = isFirst ? [isKeyframe ? 0 : 1, 0, 0, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02] : []
            if format.describes { return [start << 4] + vp8 }
            return [0x80 | start << 4, 0xc0] + pictureID + [temporal] + vp8
        case .vp9:
            let flags = 0xa0 | (isKeyframe ? 0 : 0x40) | start << 3 | (isLast ? 0x04 : 0)
            return [flags] + pictureID + [0, temporal]
        case .h264:
            guard isFirst else { return [0x7c, 0x01] }
            return isKeyframe ? [0x78, 0, 3, 0x67, 0x42, 0xe0, 0, 65, 0x65] : [0x61]
        case .av1: return [0x10 | (isKeyframe && isFirst ? 8 : 0), isKeyframe && isFirst ? 0x08 : 0x30]
        case .opus: return []
        }
    }

    /// The mandatory fields, and with a keyframe L1T3's structure of the specification (appendix A.10).
    private func descriptor(_ isKeyframe: Bool, _ isFirst: Bool, _ isLast: Bool) -> [UInt8] {
        let template = isKeyframe ? structureOffset : (structureOffset + 1) & 63
        let flags: UInt8 = (isFirst ? 0x80 : 0) | (isLast ? 0x40 : 0)
        let mandatory = [flags | template, UInt8(frameNumber >> 8), UInt8(frameNumber & 0xff)]
        guard isKeyframe && isFirst else { return mandatory }
        let rest: [UInt8] = [
            0x14, 0xea, 0xa8, 0x60, 0x41, 0x4d, 0x14, 0x10, 0x20, 0x84, 0x27, 0x04, 0xff, 0x02, 0xcf,
        ]
        return mandatory + [0x80 | structureOffset >> 3, (structureOffset & 7) << 5 | 2] + rest
    }
}

/// The content's frame and packet of a payload of `VideoSource`.
struct VideoContent: Equatable {
    var source: UInt8
    var frame: UInt16
    var packet: UInt8

    init?(_ payload: [UInt8]) {
        guard payload.count >= 4 else { return nil }
        let end = payload.suffix(4).map { $0 }
        (source, frame, packet) = (end[0], UInt16(end[1]) << 8 | UInt16(end[2]), end[3])
    }
}
