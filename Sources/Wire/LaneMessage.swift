/// What the two ends of a Lane tell each other beside standard RTCP: application-defined packets (RFC 3550 section 6.7) with
/// the name "NTLN", of fixed-size entries. Each end repeats what holds until it changes, so that none is answered.
@frozen
public struct LaneMessage: BitwiseCopyable {
    /// The subtype.
    @frozen
    public enum Kind: UInt8, Sendable, BitwiseCopyable {
        /// Which Layers of a Track are wanted: name (of Layer 0) 4 bytes, zero 3 bytes, the set 1 byte.
        case wanted = 1
        /// Which Layers of a Track there are: name (of Layer 0) 4 bytes, zero 3 bytes, the set that is known to be wanted 1
        /// byte, so that who wants another says so again, and `Track.choices` 8 bytes.
        case sent = 2

        /// Bytes of an entry.
        @inlinable public var entryLength: Int { self == .wanted ? 8 : 16 }
    }

    /// "NTLN".
    @inlinable public static var name: UInt32 { 0x4e54_4c4e }
    @inlinable public static var headerLength: Int { 12 }
    /// In one message that is written; those that are read may have more.
    @inlinable public static var mostEntries: Int { 48 }

    public let kind: Kind
    /// Entries.
    public let count: Int
    @usableFromInline let base: UnsafeRawPointer

    /// Nil when it is another application's, of an unknown kind, or ends within an entry.
    @inlinable
    public init?(_ packet: RTCPPacket) {
        guard packet.type == RTCPPacket.application, packet.bytes.count >= Self.headerLength,
            packet.base.be32(8) == Self.name, let kind = Kind(rawValue: packet.format)
        else { return nil }
        let length = packet.bytes.count &- Self.headerLength
        guard length % kind.entryLength == 0 else { return nil }
        self.kind = kind
        count = length / kind.entryLength
        base = packet.base + Self.headerLength
    }

    /// `index` is below `count`.
    @inlinable
    public func track(_ index: Int) -> LaneName { LaneName(raw: base.be32(index &* kind.entryLength)) }

    /// Bit n stands for Layer n.
    @inlinable
    public func layers(_ index: Int) -> UInt8 { base.u8(index &* kind.entryLength &+ 7) }

    /// Of `sent`.
    @inlinable
    public func choices(_ index: Int) -> UInt64 { base.be64(index &* kind.entryLength &+ 8) }
}

extension RTCPWriter {
    /// A message with room for `count` entries, which the caller writes by `LaneMessageWriter`; nil when it does not fit.
    @inlinable
    public mutating func addLaneMessage(_ kind: LaneMessage.Kind, lane: LaneName, count: Int) -> LaneMessageWriter? {
        let length = LaneMessage.headerLength &+ count &* kind.entryLength
        guard let packet = reserve(RTCPPacket.application, format: Int(kind.rawValue), length: length) else {
            return nil
        }
        packet.setBE32(lane.raw, at: 4)
        packet.setBE32(LaneMessage.name, at: 8)
        return LaneMessageWriter(base: packet + LaneMessage.headerLength, kind: kind, count: count)
    }
}

/// Fills the entries of a message.
@frozen
public struct LaneMessageWriter: BitwiseCopyable {
    @usableFromInline let base: UnsafeMutableRawPointer
    @usableFromInline let kind: LaneMessage.Kind
    @usableFromInline let count: Int

    @usableFromInline
    init(base: UnsafeMutableRawPointer, kind: LaneMessage.Kind, count: Int) {
        self.base = base
        self.kind = kind
        self.count = count
    }

    /// Writes the entry at `index`, below the count that was reserved. `choices`: of `sent`.
    @inlinable
    public func set(_ index: Int, track: LaneName, layers: UInt8, choices: UInt64 = 0) {
        guard index < count else { return }
        let entry = base + index &* kind.entryLength
        entry.setBE32(track.raw, at: 0)
        entry.setBE32(UInt32(layers), at: 4)
        if kind == .sent { entry.setBE64(choices, at: 8) }
    }
}
