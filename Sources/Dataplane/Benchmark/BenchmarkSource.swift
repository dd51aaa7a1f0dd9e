import Mailbox
import Wire

/// What a benchmark's participant publishes.
@_spi(Benchmark)
public enum BenchmarkMedia: Sendable {
    /// VP8 of one layer: 10 packets a frame, a keyframe first.
    case camera
    /// Opus, with the audio level (RFC 6464).
    case microphone
}

/// Seals the stream of a camera or a microphone.
struct BenchmarkSource {
    private static let packetsPerFrame: UInt64 = 10
    /// Of Slots: the first one's, with steps of two, as retransmissions have their own.
    static let firstSlotSsrc: UInt32 = 0x1000_0000
    /// Of cameras, toward receivers.
    static let cameraPayloadType: UInt8 = 120

    let track: TrackHandle
    let media: BenchmarkMedia
    private let peer: BenchmarkPeer
    private let profile: SRTPProfile
    private let payloadLength: Int
    private let engine: UnsafeMutablePointer<SRTPEngine>
    private let memory: UnsafeMutableRawPointer
    private let transform: SRTPTransform
    private var ssrc: UInt32
    private var sent: UInt64 = 0
    /// Sequence number with its roll-overs.
    private var index: UInt64 = 1_000

    /// `number`: of its Track, among the worker's.
    init(_ peer: BenchmarkPeer, number: Int = 0, media: BenchmarkMedia, profile: SRTPProfile, payloadLength: Int) {
        self.peer = peer
        self.media = media
        self.profile = profile
        self.payloadLength = payloadLength
        track = TrackHandle(worker: UInt8(peer.session.worker), index: UInt32(number), generation: 1)
        ssrc = 0x2000_0000 + UInt32(peer.session.worker) << 20 + UInt32(number) << 8
        engine = .allocate(capacity: 1)
        engine.initialize(to: SRTPEngine())
        memory = .allocate(byteCount: SRTPTransform.byteCount, alignment: SRTPTransform.alignment)
        transform = .install(
            at: memory, engine: engine.pointee, profile: profile, master: peer.master(profile, isSend: false))
    }

    func deallocate() {
        transform.erase()
        memory.deallocate()
        engine.deinitialize(count: 1)
        engine.deallocate()
    }

    private var isCamera: Bool { media == .camera }
    var kind: MediaKind { isCamera ? .video : .audio }
    var codec: Codec { isCamera ? .vp8 : .opus }
    private var payloadTypes: PayloadTypes {
        isCamera ? PayloadTypes(media: 96, rtx: 97) : PayloadTypes(media: 111)
    }
    /// Fixed part, extension header, and the elements with their padding.
    private var headerLength: Int { 12 + extensionLength }
    /// The same in what receivers get.
    var extensionLength: Int { isCamera ? 8 : 12 }

    var nextSequence: UInt16 { UInt16(truncatingIfNeeded: index) }

    /// The layer has no fixed SSRC: it is found by its payload type.
    var openTrack: OpenTrack {
        OpenTrack(
            track: track, source: .session(peer.session), mid: ShortText(), kind: kind, codec: codec,
            payloadTypes: payloadTypes, layers: .init(repeating: .init()), layerCount: 1)
    }

    /// A receiver's Slot that it fits into.
    func openSlot(_ slot: SlotHandle, of session: SessionHandle) -> Command {
        var types = PayloadTypeMap()
        types[codec] = isCamera ? PayloadTypes(media: Self.cameraPayloadType, rtx: 121) : PayloadTypes(media: 122)
        let ssrc = Self.firstSlotSsrc + UInt32(slot.index) * 2
        return .openSlot(
            OpenSlot(
                slot: slot, session: session, kind: kind, mid: ShortText(), ssrc: ssrc,
                rtxSsrc: isCamera ? ssrc + 1 : 0, payloadTypes: types))
    }

    /// Begins anew with another SSRC, other numbers and a keyframe.
    mutating func restart() {
        ssrc += 1
        index += 5_000
        sent = 0
    }

    /// Writes and seals the next packets.
    mutating func seal(_ packets: UnsafeMutablePointer<Mbuf>, _ count: Int) {
        for place in 0..<count {
            let packet = packets[place]
            let start = packet.data + peer.template.length
            write(to: start)
            let bytes = start.assumingMemoryBound(to: UInt8.self)
            var job = SealJob(
                transform: transform, source: bytes + headerLength, destination: bytes, headerLength: headerLength,
                payloadLength: payloadLength, index: index, ssrc: ssrc)
            engine.pointee.seal(&job, 1)
            peer.template.write(into: packet.data, payloadLength: job.sealedLength)
            _ = packet.setLength(peer.template.length + job.sealedLength)
            index += 1
            sent += 1
        }
    }

    /// The next packet in clear.
    private func write(to start: UnsafeMutableRawPointer) {
        let frame = isCamera ? sent / Self.packetsPerFrame : sent
        let place = isCamera ? sent % Self.packetsPerFrame : 0
        var header = RTPHeaderWriter(
            into: UnsafeMutableRawBufferPointer(start: start, count: headerLength),
            marker: isCamera && place == Self.packetsPerFrame - 1, payloadType: payloadTypes.media,
            sequence: UInt16(truncatingIfNeeded: index),
            timestamp: UInt32(truncatingIfNeeded: frame * (isCamera ? 3_000 : 960)), ssrc: ssrc)!
        header.add(BenchmarkPeer.transportSequenceID, be16: UInt16(truncatingIfNeeded: index))
        if !isCamera { header.add(BenchmarkPeer.audioLevelID, u8: 0x80 | 30) }
        _ = header.finish()
        let payload = start + headerLength
        payload.initializeMemory(as: UInt8.self, repeating: 0x5a, count: payloadLength)
        if isCamera { writeDescriptor(to: payload, frame: frame, isFirst: place == 0) }
    }

    /// Picture id and TL0PICIDX as browsers send them (RFC 7741 section 4.2), and how a VP8 frame begins: keyframe or
    /// not, and 1280x720 of a keyframe (RFC 6386 section 9.1).
    private func writeDescriptor(to payload: UnsafeMutableRawPointer, frame: UInt64, isFirst: Bool) {
        let descriptor: [UInt8] = [
            isFirst ? 0x90 : 0x80, 0xc0, 0x80 | UInt8(truncatingIfNeeded: frame >> 8 & 0x7f),
            UInt8(truncatingIfNeeded: frame), UInt8(truncatingIfNeeded: frame),
        ]
        let beginning: [UInt8] = [frame == 0 ? 0x10 : 0x11, 0x02, 0, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02]
        (descriptor + (isFirst ? beginning : [])).withUnsafeBytes {
            payload.copyMemory(from: $0.baseAddress!, byteCount: $0.count)
        }
    }
}
