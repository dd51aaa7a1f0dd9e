/// What congestion control feedback says of one packet (RFC 8888 section 3.1).
@frozen
public struct CongestionReport: Sendable, Equatable, BitwiseCopyable {
    /// The two bits of the IP header as they came (RFC 3168 section 5).
    @frozen
    public enum Mark: UInt8, Sendable, BitwiseCopyable {
        case notCapable = 0
        case capable1, capable0, experienced
    }

    public var isReceived: Bool
    public var mark: Mark
    /// How long before the report's timestamp it came, in 1/1024 s; nil where that is not known, or more than 8 s.
    public var age: UInt16?

    @inlinable
    init(_ word: UInt16) {
        isReceived = word & 0x8000 != 0
        mark = Mark(rawValue: UInt8(truncatingIfNeeded: word >> 13 & 3)).unsafelyUnwrapped
        let offset = word & 0x1fff
        age = isReceived && offset < 0x1ffe ? offset : nil
    }
}

/// What it says of one RTP stream: reports of numbers in a row.
@frozen
public struct CongestionReports: BitwiseCopyable {
    public let ssrc: UInt32
    /// The sequence number of the first report.
    public let firstSequence: UInt16
    public let count: Int
    @usableFromInline let base: UnsafeRawPointer

    @inlinable
    init(_ base: UnsafeRawPointer) {
        self.base = base
        ssrc = base.be32(0)
        firstSequence = base.be16(4)
        count = Int(base.be16(6))
    }

    /// `index` is below `count`.
    @inlinable public subscript(index: Int) -> CongestionReport { CongestionReport(base.be16(8 &+ index &* 2)) }

    /// Bytes: an odd number of reports is padded.
    @inlinable var length: Int { 8 &+ (count &+ 1) / 2 &* 4 }
}

/// RTP congestion control feedback (RFC 8888 section 3.1). `init?` proves that all streams fit; iterate it for them.
@frozen
public struct CongestionFeedback: Sequence, IteratorProtocol, BitwiseCopyable {
    @usableFromInline let bytes: UnsafeRawBufferPointer
    @usableFromInline var offset: Int

    /// RFC 8888 section 3.1: no stream has more reports in one message.
    @inlinable public static var mostReports: Int { 16_384 }

    @inlinable
    public init?(_ packet: RTCPPacket) {
        guard packet.type == RTCPPacket.transportFeedback, packet.format == 11, packet.bytes.count >= 12 else {
            return nil
        }
        bytes = packet.bytes
        offset = 8
        var end = 8
        while end < bytes.count &- 4 {
            guard end &+ 8 <= bytes.count &- 4 else { return nil }
            let reports = CongestionReports(packet.base + end)
            end &+= reports.length
            guard reports.count <= Self.mostReports, end <= bytes.count &- 4 else { return nil }
        }
    }

    @inlinable var base: UnsafeRawPointer { bytes.baseAddress.unsafelyUnwrapped }
    @inlinable public var senderSSRC: UInt32 { base.be32(4) }
    /// When it was made, by the clock of the peer's other reports: the middle 32 bits of NTP time.
    @inlinable public var timestamp: UInt32 { base.be32(bytes.count &- 4) }

    @inlinable
    public mutating func next() -> CongestionReports? {
        guard offset < bytes.count &- 4 else { return nil }
        let reports = CongestionReports(base + offset)
        offset &+= reports.length
        return reports
    }
}
