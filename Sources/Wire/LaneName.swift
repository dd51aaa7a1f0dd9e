/// The SSRC of what goes over a Lane, chosen by who receives it: any of its workers knows whose it is, and that one finds the
/// Track, or the Lane itself, by index.
///
/// Layout from the top: part 2 bits, worker 4, generation 10, index 16.
@frozen
public struct LaneName: Hashable, Sendable, BitwiseCopyable {
    /// As in RTP and RTCP headers, host byte order.
    public let raw: UInt32

    /// Entries that can be named.
    @inlinable public static var capacity: Int { 1 << 16 }
    /// The part that names the Lane and no Track.
    @inlinable public static var lanePart: UInt8 { 3 }

    @inlinable
    public init(raw: UInt32) { self.raw = raw }

    /// `part`: the Layer, 0...2, or `lanePart`. Of `generation` the lowest 10 bits are kept.
    @inlinable
    public init(part: UInt8, worker: Int, index: Int, generation: UInt32) {
        raw =
            UInt32(part & 3) << 30 | UInt32(truncatingIfNeeded: worker & 0xf) << 26 | (generation & 0x3ff) << 16
            | UInt32(truncatingIfNeeded: index & 0xffff)
    }

    @inlinable public var part: UInt8 { UInt8(truncatingIfNeeded: raw >> 30) }
    @inlinable public var worker: Int { Int(raw >> 26 & 0xf) }
    /// The lowest 10 bits.
    @inlinable public var generation: UInt32 { raw >> 16 & 0x3ff }
    @inlinable public var index: Int { Int(raw & 0xffff) }

    /// The same Track's other Layer, 0...2.
    @inlinable
    public func layer(_ layer: UInt8) -> LaneName { LaneName(raw: raw & 0x3fff_ffff | UInt32(layer & 3) << 30) }
}
