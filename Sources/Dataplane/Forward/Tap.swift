import Mailbox

/// A Sink that hands a Track's opened packets to a thread of the control process.
struct Tap: BitwiseCopyable {
    let handle: TapHandle
    let track: TrackHandle
    let layers: LayerSet
    /// Of the thread that reads it: a place in the worker's `TapOutlets`.
    let reader: Int
    /// The next of the Track's list; an index.
    var next = Link.none
}

/// The worker's ends of the rings to the threads that read Taps, and how many references each of them has.
struct TapOutlets: BitwiseCopyable {
    private let readers: TapReaders
    private let out: UnsafeMutablePointer<Int>

    init(_ readers: TapReaders) {
        self.readers = readers
        out = .allocate(capacity: max(readers.count, 1))
        out.initialize(repeating: 0, count: max(readers.count, 1))
    }

    var count: Int { readers.count }

    /// Hands a packet over with a reference of its own; false, and nothing is handed over, when the reader holds as many as
    /// it may.
    func hand(_ packet: Mbuf, _ record: UnsafePointer<PacketRecord>, to tap: UnsafePointer<Tap>) -> Bool {
        let reader = tap.pointee.reader
        let rings = readers[reader]
        guard out[reader] < rings.capacity else { return false }
        packet.retain()
        let handed = TapPacket(
            tap: tap.pointee.handle, reference: packet.raw,
            payload: UnsafeRawPointer(packet.data) + Int(record.pointee.payloadOffset),
            payloadLength: record.pointee.payloadLength, layer: record.pointee.layer,
            audioLevel: record.pointee.audioLevel, timestamp: record.pointee.timestamp,
            sequence: record.pointee.sequence, arrival: record.pointee.arrival, marker: record.pointee.marker,
            startsKeyframe: record.pointee.startsKeyframe)
        // There is room: no more than `capacity` are out.
        _ = rings.packets.push(handed)
        out[reader] &+= 1
        return true
    }

    /// Frees what the readers gave back.
    func takeBack() {
        for reader in 0..<count {
            while out[reader] > 0, let reference = readers[reader].returns.pop() {
                Mbuf(reference).free()
                out[reader] &-= 1
            }
        }
    }

    /// Frees what is in the rings, and the memory. The readers have ended and hold nothing any more.
    func shutDown() {
        takeBack()
        for reader in 0..<count {
            while let packet = readers[reader].packets.pop() { Mbuf(packet.reference).free() }
        }
        out.deallocate()
    }
}
