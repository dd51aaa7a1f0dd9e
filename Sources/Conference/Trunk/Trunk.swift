import Fleet
import Mailbox
import Wire

/// What the director knows of another PoP: its director, and what goes over the Trunk to it. By names, which are SSRCs.
struct Trunk {
    /// A worker here that takes what a worker there has.
    struct Pair: Hashable {
        var worker: Int
        var remote: Int
    }

    let pop: PoPName
    /// Where its workers receive media, the most preferred first.
    let addresses: [Endpoint]
    /// There is a link.
    var isOpen = false
    /// Its director's latest hello, and whether it came over the link that is open.
    var peer: DirectorHello?
    var isReady = false
    /// Something that was to be told was lost: both sides agree anew.
    var owesHello = false
    /// Lanes that we opened to take Tracks, by our names, and where each is.
    var inbound: [UInt32: InboundLane] = [:]
    var pairs: [Pair: UInt32] = [:]
    /// Lanes that were opened to take ours, by the far end's names.
    var outbound: [UInt32: OutboundLane] = [:]
    /// Tracks that come, and that go, by the receiver's names.
    var imports: [UInt32: TrackHandle] = [:]
    var exports: [UInt32: Export] = [:]
    /// Of the Lanes that ended.
    private var past = LaneReport()

    init(pop: PoPName, addresses: [Endpoint]) {
        self.pop = pop
        self.addresses = addresses
    }

    func address(isV6: Bool) -> Endpoint? { addresses.first { $0.address.isV4 != isV6 } }

    /// Keeps what an ended Lane carried.
    mutating func bury(_ end: LaneEnd) { past.add(end.report) }

    var report: TrunkReport {
        var total = past
        total.roundTrip = 0
        for lane in inbound.values { total.add(lane.end.report) }
        for lane in outbound.values { total.add(lane.end.report) }
        var report = TrunkReport(pop: pop)
        report.isOpen = isReady
        report.lanes = inbound.count + outbound.count
        report.carriedIn = imports.count
        report.carriedOut = exports.values.count { $0.crossing != nil }
        report.sentPackets = total.sentPackets
        report.sentBytes = total.sentBytes
        report.receivedPackets = total.receivedPackets
        report.missingPackets = total.missingPackets
        report.repairedPackets = total.repairedPackets
        report.roundTrip = total.roundTrip
        return report
    }
}

extension LaneReport {
    fileprivate mutating func add(_ other: LaneReport) {
        sentPackets &+= other.sentPackets
        sentBytes &+= other.sentBytes
        receivedPackets &+= other.receivedPackets
        missingPackets &+= other.missingPackets
        repairedPackets &+= other.repairedPackets
        roundTrip = max(roundTrip, other.roundTrip)
    }
}
