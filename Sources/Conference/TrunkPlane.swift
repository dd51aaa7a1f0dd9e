import Fleet
import Meetings
import Wire

/// What the fleet's side asks of the media side, beside `MediaPlane`. The media director conforms to it.
public protocol TrunkPlane: Sendable {
    /// A link to the PoP is open, or open again: messages may be sent, and both sides agree anew on what goes over the Trunk.
    /// `addresses`: where its workers receive media, the most preferred first.
    func trunkOpened(_ pop: PoPName, addresses: [Endpoint]) async

    /// Its link is gone. Lanes that run go on, and what is asked meanwhile is asked when it opens again. `isLost`: the PoP is
    /// dead or left the fleet, so all Lanes to it end.
    func trunkClosed(_ pop: PoPName, isLost: Bool) async

    /// Takes what the PoP's director sent. It is foreign input: bounded, checked and counted.
    func receive(_ message: [UInt8], from pop: PoPName) async

    /// Somebody at another PoP publishes this now; nil: it is gone from the meeting, or is at this PoP now.
    func setRemote(_ participant: ParticipantID, in meeting: MeetingID, _ remote: RemotePublisher?) async

    /// The other PoPs that have people in the meeting: they are told how loud our loudest are.
    func setPeers(_ pops: [PoPName], of meeting: MeetingID) async

    /// Messages for other PoPs' directors, in order. There is one reader.
    var trunkMessages: AsyncStream<TrunkMessage> { get }

    /// What goes over each Trunk, by the PoP's name.
    func trunkReports() async -> [TrunkReport]

    /// What other directors sent and was not taken, since the start.
    func trunkRefusals() async -> TrunkRefusals
}

/// What one director tells another.
public struct TrunkMessage: Sendable, Equatable {
    /// For whom.
    public var pop: PoPName
    /// At most `TrunkMessage.limit`.
    public var bytes: [UInt8]

    /// Bytes of a message.
    public static let limit = 65_536

    public init(pop: PoPName, bytes: [UInt8]) {
        self.pop = pop
        self.bytes = bytes
    }
}

/// Messages of other directors that were not taken.
public struct TrunkRefusals: Sendable, Equatable {
    /// Those that keep to no rule of what is said.
    public var malformed: UInt64 = 0
    /// Those from where there is no link, or that are of the link before.
    public var stray: UInt64 = 0

    public init() {}
}

/// Somebody at another PoP who publishes.
public struct RemotePublisher: Sendable, Equatable {
    /// Where it is.
    public var pop: PoPName
    /// From whom its Tracks are taken: its PoP, or a relay.
    public var feeder: PoPName
    /// Its place in the meeting's order of joining.
    public var serial: UInt64
    public var publication: Publication
    /// What is on.
    public var state: PublishedMedia

    public init(
        pop: PoPName, feeder: PoPName, serial: UInt64, publication: Publication, state: PublishedMedia
    ) {
        self.pop = pop
        self.feeder = feeder
        self.serial = serial
        self.publication = publication
        self.state = state
    }
}

/// What goes over a Trunk, as this PoP sees it. Counts are since the Trunk was first opened.
public struct TrunkReport: Sendable, Equatable {
    public var pop: PoPName
    /// A link is open, and the other director has said hello.
    public var isOpen = false
    /// Those that we opened to take Tracks, and those that were opened to take ours.
    public var lanes = 0
    /// Tracks that come over it now, and that go.
    public var carriedIn = 0
    public var carriedOut = 0
    public var sentPackets: UInt64 = 0
    public var sentBytes: UInt64 = 0
    public var receivedPackets: UInt64 = 0
    /// Of the packets for us, those that did not come at first, and those of them that came when asked for.
    public var missingPackets: UInt64 = 0
    public var repairedPackets: UInt64 = 0
    /// There and back, ns, of the Lane that knows it and is slowest; 0 until one does.
    public var roundTrip: UInt64 = 0

    public init(pop: PoPName) { self.pop = pop }
}
