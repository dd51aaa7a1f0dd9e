import CDPDK
import Wire

/// The packets of a burst that are relayed together, so that their cache misses overlap.
struct RelayBatch: ~Copyable {
    struct Entry: BitwiseCopyable {
        var packet: Mbuf
        var datagram: DatagramFrame
        /// Of the table where it is looked up, and its hash there.
        var key: FlowKey
        var hash: UInt64
        /// What the table said.
        var found: UInt64 = 0
        /// The Channel's place.
        var channel: UInt32 = Link.none
        var isHandedOver: Bool
        var isLooped: Bool
    }

    static let capacity = 64
    /// Frames that one batch, or one packet, may turn back to ourselves.
    static let loopCapacity = 128

    let toPeer: UnsafeMutablePointer<Entry>
    let toClient: UnsafeMutablePointer<Entry>
    /// What clients sent to our own addresses, rewritten, on its way to classification.
    let loops: UnsafeMutablePointer<Mbuf>
    var toPeerCount = 0
    var toClientCount = 0
    var loopCount = 0

    init() {
        toPeer = .allocate(capacity: Self.capacity)
        toClient = .allocate(capacity: Self.capacity)
        loops = .allocate(capacity: Self.loopCapacity)
    }

    deinit {
        for index in 0..<toPeerCount { toPeer[index].packet.free() }
        for index in 0..<toClientCount { toClient[index].packet.free() }
        loops.freeAll(loopCount)
        toPeer.deallocate()
        toClient.deallocate()
        loops.deallocate()
    }

    var isEmpty: Bool { toPeerCount | toClientCount | loopCount == 0 }
}
