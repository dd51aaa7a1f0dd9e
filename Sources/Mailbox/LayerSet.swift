/// Some Layers of a Track, by their numbers from 0: the lowest resolution.
@frozen
public struct LayerSet: Hashable, Sendable, BitwiseCopyable {
    /// Bit n stands for Layer n.
    public var bits: UInt8

    @inlinable @inline(__always)
    public init(bits: UInt8 = 0) { self.bits = bits }

    /// Only this Layer, below 8.
    @inlinable @inline(__always)
    public init(_ layer: UInt8) { bits = 1 &<< layer }

    /// The Layers below `count`, which is at most 8.
    @inlinable
    public static func below(_ count: Int) -> LayerSet { LayerSet(bits: UInt8(truncatingIfNeeded: 1 &<< count &- 1)) }

    @inlinable
    public var isEmpty: Bool { bits == 0 }

    @inlinable @inline(__always)
    public func contains(_ layer: UInt8) -> Bool { bits &>> layer & 1 != 0 }

    @inlinable @inline(__always)
    public func union(_ other: LayerSet) -> LayerSet { LayerSet(bits: bits | other.bits) }

    @inlinable @inline(__always)
    public func intersection(_ other: LayerSet) -> LayerSet { LayerSet(bits: bits & other.bits) }
}
