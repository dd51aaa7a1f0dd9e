/// What a Session's path to its peer carries, and how its pictures fare with it.
@frozen
public struct PathReport: Sendable, BitwiseCopyable, Equatable {
    @frozen
    public enum Level: UInt8, Sendable, BitwiseCopyable {
        /// All that is wanted is shown, and less than 3% of what is sent is lost.
        case good
        /// Something is paused or shown smaller than wanted, or up to a tenth is lost.
        case unstable
        /// Nothing is shown for want of bandwidth, or more is lost.
        case poor
    }

    public var level = Level.good
    /// Of what is sent, of 256.
    public var loss: UInt8 = 0
    /// How long packets wait on the path, ms.
    public var queue: UInt16 = 0
    /// Slots that show nothing for want of bandwidth.
    public var paused: UInt16 = 0
    /// bit/s.
    public var estimate: UInt32 = 0

    @inlinable
    public init() {}
}
