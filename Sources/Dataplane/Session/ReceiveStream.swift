import Wire

/// One SSRC that a Session's peer sends: its SRTP state and what it belongs to.
struct ReceiveStream: BitwiseCopyable {
    var ssrc: UInt32
    /// Index of the Track in the worker's table.
    var track: UInt32
    var layer: UInt8
    /// A retransmission stream (RFC 4588) of that layer.
    var isRetransmission: Bool
    /// Came in last, ns: the oldest makes room for a newcomer.
    var lastArrival: UInt64
    var rollover = RolloverCounter()
    var replay = ReplayWindow()
}

/// The SSRCs of one Session, few enough for a linear search. They lie in the worker's slab, as an access to an InlineArray
/// by a computed index would copy all of it.
struct ReceiveStreams: BitwiseCopyable {
    /// Audio, three layers of video and one of screen with their retransmissions, and as much again for restarts.
    static let capacity = 16
    /// Memory of one Session: a cache line of SSRCs to search, and the streams, each a line.
    static let byteCount = capacity * (MemoryLayout<UInt32>.stride + MemoryLayout<ReceiveStream>.stride)

    private let ssrcs: UnsafeMutablePointer<UInt32>
    private let streams: UnsafeMutablePointer<ReceiveStream>
    private(set) var count = 0

    /// `memory`: `byteCount` bytes, aligned to a cache line.
    init(memory: UnsafeMutableRawPointer) {
        ssrcs = memory.bindMemory(to: UInt32.self, capacity: Self.capacity)
        streams = (memory + Self.capacity * MemoryLayout<UInt32>.stride)
            .bindMemory(to: ReceiveStream.self, capacity: Self.capacity)
    }

    /// `index` is below `count`.
    @inline(__always)
    subscript(index: Int) -> ReceiveStream {
        get { streams[index] }
        nonmutating _modify { yield &streams[index] }
    }

    @inline(__always)
    func find(_ ssrc: UInt32) -> Int? {
        for index in 0..<count where ssrcs[index] == ssrc { return index }
        return nil
    }

    /// The one that must go before another can be inserted: the longest silent; nil while there is room.
    var victim: Int? {
        guard count == Self.capacity else { return nil }
        var oldest = 0
        for index in 1..<count where streams[index].lastArrival < streams[oldest].lastArrival { oldest = index }
        return oldest
    }

    /// Puts `stream` in; there is room.
    mutating func insert(_ stream: ReceiveStream) -> Int {
        (streams + count).initialize(to: stream)
        (ssrcs + count).initialize(to: stream.ssrc)
        count &+= 1
        return count &- 1
    }

    /// Forgets the stream at `index`; the last one takes its place.
    mutating func remove(at index: Int) {
        count &-= 1
        streams[index] = streams[count]
        ssrcs[index] = ssrcs[count]
    }
}
