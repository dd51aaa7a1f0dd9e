import Mailbox
import Wire

/// This worker's end of a pair with a worker of another PoP: keys, numbers and what they carry.
struct Lane: BitwiseCopyable {
    /// Of the slab: for receiving by phase, and for sending.
    static let transformCount = 3
    /// Between two looks at the next hop, ns.
    static let routeInterval: UInt64 = 10_000_000_000
    static let routeRetry: UInt64 = 100_000_000
    /// Between two reports while anything goes over it, and otherwise, ns.
    static let activeInterval: UInt64 = 100_000_000
    static let idleInterval: UInt64 = 1_000_000_000
    /// After a change of what is wanted or sent, all of it is repeated with each report for so long, ns.
    static let repetition: UInt64 = 400_000_000

    /// Media waits until the far end is heard to hear us again after it did not for so long, ns: a few reports may be lost. It
    /// cannot follow roll-overs of numbers of which it sees nothing (RFC 3711 section 3.3.1): in this time, 8,000 packets a
    /// second of one Layer may be lost.
    static let silence: UInt64 = 4_000_000_000
    /// What the far end may cost in a millisecond, and at once: packets sent again, and changes of what it wants or sends.
    static let creditsPerTick = 4
    static let mostCredits = 256

    /// The headers toward the far end. First, so that a pointer to the Lane points to them.
    var template: FrameTemplate
    /// What is sent is sealed by it; nil while there is no next hop.
    var send: SRTPTransform?
    var sendPhase: UInt8
    /// Packets sent so far: the next one's number.
    var sent: UInt32 = 0
    let history: LaneHistory
    let handle: LaneHandle
    /// The far end's name for it.
    let peer: LaneName
    let remote: Endpoint
    /// `send` while there is a next hop.
    var sendKeys: SRTPTransform
    /// By phase.
    var receive = InlineArray<2, SRTPTransform?>(repeating: nil)
    var reception = LaneReception()
    /// Compounds that the present key sealed; see `LaneFormat.rtcpIndex`.
    var rtcpIndex: UInt32 = 0
    /// By phase.
    var rtcpReplay = InlineArray<2, ReplayWindow>(repeating: ReplayWindow())
    /// The phase of the key to receive with that was installed last.
    var receivePhase: Int
    /// Phase and index of the latest compound whose messages were taken: older ones say what does not hold any more.
    var latestPhase: Int
    var latestMessage: UInt32 = 0
    /// When the latest of our reports was sent that the far end is known to have got, ns; and whether that is recent.
    var heardAt: UInt64 = 0
    var isHeard = false
    var credits = Lane.mostCredits
    /// The far end's clock.
    var clock = PublisherClock()
    var report = LaneReport()
    /// When things are due, ns.
    var routeDue: UInt64 = 0
    var reportDue: UInt64 = 0
    var secondDue: UInt64 = 0
    var repetitionDue: UInt64 = 0
    /// All that is wanted or sent is repeated with each report until then.
    var repeatsUntil: UInt64 = 0
    /// Something of its Tracks or Crossings is to be told at once.
    var hasNews = false
    /// `sent` and received packets at the last report.
    var reportedSent: UInt32 = 0
    var reportedReceived: UInt64 = 0

    /// The first of the Tracks that come over it, and of the Crossings that go; indices.
    var firstTrack = Link.none
    var firstCrossing = Link.none

    init(_ open: OpenLane, history: LaneHistory, sendKeys: SRTPTransform) {
        let any = Endpoint(address: IPAddress(v4: 0), port: 0)
        template = FrameTemplate(source: any, destination: any, sourceMAC: .zero, destinationMAC: .zero)
        handle = open.lane
        peer = open.peer
        remote = open.remote
        sendPhase = open.send.phase
        receivePhase = Int(open.receive.phase)
        latestPhase = receivePhase
        self.history = history
        self.sendKeys = sendKeys
    }

    /// Our name for it.
    var name: LaneName {
        LaneName(part: LaneName.lanePart, worker: handle.worker, index: handle.index, generation: handle.generation)
    }
}
