/// The UDP ports on which clients are served, and how port and address are encoded in a client's key.
struct Listeners: BitwiseCopyable {
    private var ports = InlineArray<7, UInt16>(repeating: 0)
    private let count: Int
    /// The key's local part for streams.
    static let stream: UInt16 = 0xffff

    init(_ alternates: [UInt16]) {
        count = min(alternates.count, 7)
        for index in 0..<count { ports[index] = alternates[index] }
    }

    /// For an alternate port; nil for others.
    func alternate(_ port: UInt16) -> UInt16? {
        for index in 0..<count where ports[index] == port { return UInt16(truncatingIfNeeded: index &+ 1) }
        return nil
    }

    /// Port (0: the media port) and own address in one.
    @inline(__always)
    static func key(port: UInt16, interface: Int) -> UInt16 { port << 8 | UInt16(truncatingIfNeeded: interface) }
}
