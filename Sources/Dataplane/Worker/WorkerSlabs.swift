import CDPDK
import Mailbox
import Wire

/// The memory of fixed size that Sessions and Tracks refer to by their index.
struct WorkerSlabs: BitwiseCopyable {
    /// Two SRTP transforms a Session: receive, send.
    private let transforms: UnsafeMutableRawPointer
    private let streams: UnsafeMutableRawPointer
    private let arrivals: UnsafeMutablePointer<UInt32>
    private let repeats: UnsafeMutablePointer<RepeatLog.Entry>
    /// Of `SessionCongestion`, each on a cache line of its own.
    private let congestions: UnsafeMutableRawPointer
    private let histories: UnsafeMutableRawPointer
    /// When each Session is looked after next, ns: apart from the Sessions, so that the many that are not due yet are not
    /// fetched.
    let sessionsDue: UnsafeMutablePointer<UInt64>
    private let caches: UnsafeMutablePointer<RetransmissionCache.Entry>

    init(_ capacity: Capacity) {
        transforms = LargeMemory.allocate(byteCount: capacity.sessions * 2 * SRTPTransform.byteCount)
        streams = LargeMemory.allocate(byteCount: capacity.sessions * ReceiveStreams.byteCount)
        arrivals = .allocate(capacity: capacity.sessions * ArrivalLog.depth)
        let repeated = capacity.sessions * RepeatLog.depth
        repeats = LargeMemory.allocate(byteCount: repeated * MemoryLayout<RepeatLog.Entry>.stride)
            .bindMemory(to: RepeatLog.Entry.self, capacity: repeated)
        repeats.initialize(repeating: RepeatLog.Entry(), count: repeated)
        congestions = LargeMemory.allocate(byteCount: capacity.sessions * SessionCongestion.stride)
        histories = LargeMemory.allocate(byteCount: capacity.sessions * BandwidthEstimator.memorySize)
        // Resident from the start: a page of 2 MiB that a worker touches first would hold up all of its packets.
        histories.initializeMemory(
            as: UInt8.self, repeating: 0, count: capacity.sessions * BandwidthEstimator.memorySize)
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
            + RepeatLog.depth * MemoryLayout<RepeatLog.Entry>.stride
            + SessionCongestion.stride + BandwidthEstimator.memorySize
        let track =
            Track.maximumLayers * RetransmissionCache.depth * MemoryLayout<RetransmissionCache.Entry>.stride
        return capacity.sessions * session + capacity.tracks * track
    }

    func deallocate() {
        transforms.deallocate()
        streams.deallocate()
        arrivals.deallocate()
        UnsafeMutableRawPointer(repeats).deallocate()
        congestions.deallocate()
        histories.deallocate()
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

    /// `RepeatLog.depth` entries.
    func repeats(_ index: Int) -> UnsafeMutablePointer<RepeatLog.Entry> { repeats + index * RepeatLog.depth }

    func congestion(_ index: Int) -> UnsafeMutablePointer<SessionCongestion> {
        (congestions + index &* SessionCongestion.stride).assumingMemoryBound(to: SessionCongestion.self)
    }

    /// Prefetches all that is known of a Session's path, but for its history.
    func prefetchCongestion(_ index: Int) {
        let place = congestions + index &* SessionCongestion.stride
        for offset in stride(from: 0, to: SessionCongestion.stride, by: 64) { cpu_prefetch(place + offset) }
    }

    /// Prefetches what noting a packet with this transport-wide number touches.
    @inline(__always)
    func prefetchCongestion(_ index: Int, number: UInt16) {
        cpu_prefetch(congestions + index &* SessionCongestion.stride)
        cpu_prefetch(histories + index * BandwidthEstimator.memorySize + SendHistory.offset(of: number))
    }

    /// Begins anew for the Session at `index`.
    func beginCongestion(_ index: Int, now: UInt64) -> UnsafeMutablePointer<SessionCongestion> {
        let place = congestion(index)
        let memory = histories + index * BandwidthEstimator.memorySize
        place.initialize(to: SessionCongestion(memory: memory, now: now))
        return place
    }

    /// Prefetches the place of a packet in a Layer's cache.
    @inline(__always)
    func prefetchCache(_ index: Int, layer: Int, _ sequence: UInt64) {
        let place = Int(truncatingIfNeeded: sequence & UInt64(RetransmissionCache.depth - 1))
        let cache = (index &* Track.maximumLayers &+ layer) &* RetransmissionCache.depth
        cpu_prefetch(caches + (cache &+ place))
    }

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
