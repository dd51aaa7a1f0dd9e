import Wire

/// A whole frame of a source.
struct CapturedFrame: Sendable, Equatable {
    var frame: AssembledFrame
    /// The RTP timestamp.
    var timestamp: UInt32
    /// When its last packet came in, ns.
    var arrival: UInt64
}

/// Makes frames of one stream's packets in order. A frame of which something is missing, or that is malformed or too large, is
/// left out, and it says so.
struct FrameAssembler {
    enum Output: Equatable {
        case frame(CapturedFrame)
        /// At least a frame is missing here: what follows may refer to it.
        case broken
    }

    /// Bytes of a frame: a keyframe of a screen in 4K has less.
    static let largestFrame = 4 << 20

    let codec: Codec
    private var assembler: any PayloadAssembler
    /// The timestamp of the frame that was begun; nil between frames.
    private var open: UInt32?
    private var arrival: UInt64 = 0
    /// Nothing more of this frame is wanted.
    private var isSpoiled = false
    /// Nothing is known of what stood before the next packet.
    private var hasGap = true

    init(_ codec: Codec) {
        self.codec = codec
        assembler = codec.makeAssembler()
    }

    /// Packets before the next one are lost.
    mutating func noteLoss() { hasGap = true }

    mutating func add(_ packet: CapturedPacket) -> [Output] {
        // A packet without a payload keeps a path open, or probes it.
        guard !packet.payload.isEmpty else { return [] }
        var outputs: [Output] = []
        if let open, open != packet.timestamp || codec == .opus {
            // The marker was not set, or was lost.
            outputs += close(isWhole: !hasGap)
        }
        let isFirst = open == nil
        if isFirst {
            open = packet.timestamp
            isSpoiled = hasGap && !packet.payload.withUnsafeBytes { assembler.startsFrame($0) }
        } else if hasGap {
            isSpoiled = true
        }
        hasGap = false
        arrival = packet.arrival
        if !isSpoiled { take(packet, isFirst: isFirst) }
        if packet.marker || codec == .opus { outputs += close(isWhole: true) }
        return outputs
    }

    private mutating func take(_ packet: CapturedPacket, isFirst: Bool) {
        let fits = assembler.count + packet.payload.count <= Self.largestFrame
        let isTaken = fits && packet.payload.withUnsafeBytes { assembler.add($0, isFirst: isFirst) }
        if !isTaken { isSpoiled = true }
    }

    private mutating func close(isWhole: Bool) -> [Output] {
        defer {
            open = nil
            isSpoiled = false
        }
        guard let timestamp = open else { return [] }
        guard isWhole, !isSpoiled else {
            assembler.reset()
            return [.broken]
        }
        guard let frame = assembler.finish() else { return [.broken] }
        if frame.bytes.isEmpty { return [] }
        return [.frame(CapturedFrame(frame: frame, timestamp: timestamp, arrival: arrival))]
    }
}
