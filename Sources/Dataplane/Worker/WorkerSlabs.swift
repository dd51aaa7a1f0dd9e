import Mailbox
import Wire

/// The memory of fixed size that Sessions and Tracks refer to by their index.
struct WorkerSlabs: BitwiseCopyable {
    /// Two SRTP transforms a Session: receive, send.
    private let transforms: UnsafeMutableRawPointer
    private let streams: UnsafeMutableRawPointer
    private let arrivals: UnsafeMutablePointer<UInt32>
    /// When each Session is looked after next, ns: apart from the Sessions, so that the many that are not due yet are not
    /// fetched.
    let sessionsDue: UnsafeMutablePointer<UInt64>
    private let caches: UnsafeMutablePointer<RetransmissionCache.Entry>

    init(_ capacity: Capacity) {
        transforms = LargeMemory.allocate(byteCount: capacity.sessions * 2 * SRTPTransform.byteCount)
        streams = LargeMemory.allocate(byteCount: capacity.sessions * ReceiveStreams.byteCount)
        arrivals = .allocate(capacity: capacity.sessions * ArrivalLog.depth)
        sessionsDue = .allocate(capacity: capacity.sessions)
        sessionsDue.initialize(repeating: 0, count: capacity.sessions)
        let entries = capacity.tracks * Track.maximumLayers * RetransmissionCache.depth
        caches = LargeMemory.allocate(byteCount: entries * MemoryLayout<RetransmissionCache.Entry>.stride)
            .bindMemory(to: RetransmissionCache.Entry.self, capacity: entries)
        caches.initialize(repeating: RetransmissionCache.Entry(mark: 0, packet: nil), count: entries)
    }

    /// Of one worker.
    static func byteCount(_ capacity: Capacity) -> Int {
        let session =
            2 * SRTPTransform.byteCount + ReceiveStreams.byteCount
            + ArrivalLog.depth * MemoryLayout<UInt32>.stride + MemoryLayout<UInt64>.stride
        let track =
            Track.maximumLayers * RetransmissionCache.depth * MemoryLayout<RetransmissionCache.Entry>.stride
        return capacity.sessions * session + capacity.tracks * track
    }

    func deallocate() {
        transforms.deallocate()
        streams.deallocate()
        arrivals.deallocate()
        sessionsDue.deallocate()
        UnsafeMutableRawPointer(caches).deallocate()
    }

    /// `SRTPTransform.byteCount` bytes for one direction of the Session at `index`.
    func transform(_ index: Int, isSend: Bool) -> UnsafeMutableRawPointer {
        transforms + (index * 2 + (isSend ? 1 : 0)) * SRTPTransform.byteCount
    }

    /// `ReceiveStreams.byteCount` bytes.
    func streams(_ index: Int) -> UnsafeMutableRawPointer { streams + index * ReceiveStreams.byteCount }

    /// `ArrivalLog.depth` words.
    func arrivals(_ index: Int) -> UnsafeMutablePointer<UInt32> { arrivals + index * ArrivalLog.depth }

    /// `RetransmissionCache.depth` entries for each layer.
    func caches(_ index: Int) -> UnsafeMutablePointer<RetransmissionCache.Entry> {
        caches + index * Track.maximumLayers * RetransmissionCache.depth
    }
}

extension Capacity {
    /// Memory that one worker needs for full tables, bytes, without TURN's.
    public var byteCount: Int {
        WorkerSlabs.byteCount(self) + sessions * HandleTable<SessionKind, Session>.stride
            + tracks * HandleTable<TrackKind, Track>.stride + slots * HandleTable<SlotKind, Slot>.stride
    }
}
