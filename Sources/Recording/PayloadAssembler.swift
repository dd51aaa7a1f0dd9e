import Wire

/// Makes one frame after the other of the payloads of its packets, for one codec. Whoever calls it has put them in order and
/// knows that none is missing.
protocol PayloadAssembler: Sendable {
    /// Takes the next payload of the frame; false when it is malformed, or does not belong there.
    mutating func add(_ payload: UnsafeRawBufferPointer, isFirst: Bool) -> Bool
    /// Whether this payload is provably the first of its frame.
    func startsFrame(_ payload: UnsafeRawBufferPointer) -> Bool
    /// Bytes of the frame so far.
    var count: Int { get }
    /// The frame, after its last payload; the next one begins. Nil when it is not whole; without bytes where its packets held
    /// none of a picture.
    mutating func finish() -> AssembledFrame?
    /// Forgets the frame that was begun.
    mutating func reset()
}

/// A frame as Matroska stores it.
struct AssembledFrame: Sendable, Equatable {
    var bytes: [UInt8]
    /// A decoder can begin here.
    var isKeyframe: Bool
    /// Of a keyframe, where it is known.
    var configuration: CodecConfiguration?
}

extension Codec {
    func makeAssembler() -> any PayloadAssembler {
        switch self {
        case .opus: OpusAssembler()
        case .vp8: VP8Assembler()
        case .vp9: VP9Assembler()
        case .h264: H264Assembler()
        case .av1: AV1Assembler()
        }
    }
}

/// Opus: a packet is a frame (RFC 7587 section 4.2).
struct OpusAssembler: PayloadAssembler {
    private var bytes: [UInt8] = []

    var count: Int { bytes.count }
    func startsFrame(_ payload: UnsafeRawBufferPointer) -> Bool { true }

    mutating func add(_ payload: UnsafeRawBufferPointer, isFirst: Bool) -> Bool {
        bytes = Array(payload)
        return !bytes.isEmpty
    }

    mutating func finish() -> AssembledFrame? {
        defer { reset() }
        return bytes.isEmpty ? nil : AssembledFrame(bytes: bytes, isKeyframe: true, configuration: .opus)
    }

    mutating func reset() { bytes = [] }
}

/// VP8: what stands behind the descriptors (RFC 7741 section 4.4).
struct VP8Assembler: PayloadAssembler {
    private var bytes: [UInt8] = []
    private var size: (width: Int, height: Int)?
    private var isKeyframe = false

    var count: Int { bytes.count }
    func startsFrame(_ payload: UnsafeRawBufferPointer) -> Bool { VP8Descriptor(payload)?.startsFrame ?? false }

    mutating func add(_ payload: UnsafeRawBufferPointer, isFirst: Bool) -> Bool {
        guard let descriptor = VP8Descriptor(payload), descriptor.startsFrame == isFirst else { return false }
        if isFirst {
            isKeyframe = descriptor.startsKeyframe
            size = descriptor.size
        }
        bytes += payload.dropFirst(descriptor.length)
        return true
    }

    mutating func finish() -> AssembledFrame? {
        defer { reset() }
        // A keyframe that does not say its size is none.
        guard !bytes.isEmpty, !isKeyframe || size.map({ $0.width > 0 && $0.height > 0 }) == true else { return nil }
        let configuration = size.map {
            CodecConfiguration(codec: .vp8, privateData: [], width: $0.width, height: $0.height)
        }
        return AssembledFrame(bytes: bytes, isKeyframe: isKeyframe, configuration: configuration)
    }

    mutating func reset() {
        bytes = []
        size = nil
        isKeyframe = false
    }
}

/// VP9: the layer frames of a picture one behind the other; several make a superframe (RFC 9628 section 4, VP9 bitstream
/// specification annex B).
struct VP9Assembler: PayloadAssembler {
    /// Layer frames of a superframe.
    static let mostFrames = 8

    private var bytes: [UInt8] = []
    private var starts: [Int] = []
    private var isKeyframe = false
    private var isInFrame = false
    private var size: (width: Int, height: Int)?

    var count: Int { bytes.count }

    func startsFrame(_ payload: UnsafeRawBufferPointer) -> Bool {
        guard let descriptor = VP9Descriptor(payload) else { return false }
        return descriptor.startsFrame && descriptor.spatialID ?? 0 == 0
    }

    mutating func add(_ payload: UnsafeRawBufferPointer, isFirst: Bool) -> Bool {
        guard let descriptor = VP9Descriptor(payload), descriptor.startsFrame != isInFrame else { return false }
        let frame = payload.dropFirst(descriptor.length)
        if descriptor.startsFrame {
            guard starts.count < Self.mostFrames else { return false }
            starts.append(bytes.count)
            if isFirst { isKeyframe = descriptor.startsKeyframe }
            note(descriptor, UnsafeRawBufferPointer(rebasing: frame))
        }
        bytes += frame
        isInFrame = !descriptor.endsFrame
        return true
    }

    private mutating func note(_ descriptor: VP9Descriptor, _ frame: UnsafeRawBufferPointer) {
        if let header = VP9FrameHeader(frame) {
            size = (header.width, header.height)
        } else if size == nil, isKeyframe, descriptor.width > 0, descriptor.height > 0 {
            size = (descriptor.width, descriptor.height)
        }
    }

    mutating func finish() -> AssembledFrame? {
        defer { reset() }
        guard !bytes.isEmpty, !isInFrame, !isKeyframe || size != nil else { return nil }
        if starts.count > 1 { appendIndex() }
        let configuration = size.map {
            CodecConfiguration(codec: .vp9, privateData: [], width: $0.width, height: $0.height)
        }
        return AssembledFrame(bytes: bytes, isKeyframe: isKeyframe, configuration: isKeyframe ? configuration : nil)
    }

    /// The sizes of the layer frames in 4 bytes each, between two markers.
    private mutating func appendIndex() {
        let marker: UInt8 = 0b1100_0000 | 3 << 3 | UInt8(starts.count - 1)
        let ends = starts.dropFirst() + [bytes.count]
        bytes.append(marker)
        for (start, end) in zip(starts, ends) {
            let size = UInt32(end - start)
            bytes += (0..<4).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) }
        }
        bytes.append(marker)
    }

    mutating func reset() {
        bytes = []
        starts = []
        isKeyframe = false
        isInFrame = false
        size = nil
    }
}
