import Mailbox
import Wire

/// One remote transport on its home worker: address, keys, and what is received over it.
struct Session: BitwiseCopyable {
    /// Addresses from which a peer's checks were authentic; the latest few, for candidate pairs and moves.
    static let maximumFlows = 4
    /// Without an authentic check from `remote` for so long consent to send there is gone, and without any sign of life
    /// the Session ends, ns (RFC 7675 section 5.1).
    static let consentExpiry: UInt64 = 30_000_000_000
    /// How long a peer shows nothing of itself until control is told, ns: three of the longest intervals between a
    /// browser's checks (RFC 7675 section 5.1: 5 s, and a fifth more).
    static let silence: UInt64 = 15_000_000_000
    /// When nothing authentic came from `remote` for so long, another of the peer's addresses may take its place, ns.
    static let remoteSilence: UInt64 = 3_000_000_000
    /// When nothing came for so long from an address that a peer gave up, what went there may be lost, ns.
    static let lossySilence: UInt64 = 300_000_000
    /// A peer that nominates several pairs in a row is done after so long, ns: until then the one of the highest priority
    /// is selected (RFC 8445 section 8.1.1), afterwards the latest.
    static let nominationTime: UInt64 = 1_000_000_000
    /// ns.
    static let tick: UInt64 = 20_000_000
    /// In a tick: 12,800 packets a second, more than a receiver can be sent.
    static let resendsPerTick: UInt16 = 256
    /// In a tick: a handshake has 6 datagrams a flight.
    static let puntsPerTick: UInt16 = 8

    // What is sent to it reads the first two cache lines.

    /// The headers toward `remote`. First, so that a pointer to the Session points to them.
    var template = FrameTemplate(
        source: Endpoint(address: IPAddress(v4: 0), port: 0), destination: Endpoint(address: IPAddress(v4: 0), port: 0),
        sourceMAC: .zero, destinationMAC: .zero)
    /// What is sent is sealed by it; nil until DTLS is done, and while there is no consent: nothing is sent then.
    var send: SRTPTransform?
    var receive: SRTPTransform?
    var extensions = ExtensionMap()
    /// Of the next packet with the transport-wide sequence number extension.
    var transportSequence: UInt16 = 0
    /// In the worker's slab; nil where the peer gets no transport-wide sequence numbers.
    var congestion: UnsafeMutablePointer<SessionCongestion>?
    let handle: SessionHandle
    private var credentials: LocalCredentials

    /// Where we send: the pair that the peer nominated.
    var remote: Endpoint?
    var flows = InlineArray<4, Endpoint>(repeating: Endpoint(address: IPAddress(v4: 0), port: 0))
    var flowCount = 0
    /// `send` while there is consent; nil until DTLS is done.
    var sendKeys: SRTPTransform?
    /// When the latest authentic check came (or the Session was opened), ns; and the latest from `remote`.
    var lastCheck: UInt64
    /// Control was told that the peer shows nothing of itself.
    var isSilent = false
    var consentAt: UInt64
    /// When something authentic last came from `remote`, ns.
    var heardAt: UInt64 = 0
    /// When the peer first nominated a pair, ns; 0 before that. And the PRIORITY of the pair that we took.
    private var nominatedAt: UInt64 = 0
    private var nominatedPriority: UInt32 = 0
    /// What is left of this tick's limits: retransmissions, statuses of feedback, and datagrams for the slow path; and the
    /// tick's number.
    var resendCredits = Session.resendsPerTick
    var statusCredits = CongestionConstants.statusesPerTick
    var puntCredits = Session.puntsPerTick
    private var creditedTick: UInt64 = 0
    /// The unknown SSRC whose latest packet failed to authenticate with roll-over counter 0: its next one is tried with 1. It
    /// applies to that SSRC alone, so that forged packets, which anybody can send, affect no other stream.
    var secondRoundSsrc: UInt32?

    /// Of the next SRTCP packet; 31 bits.
    var rtcpIndex: UInt32 = 0
    var rtcpReplay = RTCPReplay()
    var streams: ReceiveStreams
    var arrivals: ArrivalLog
    /// The SSRC that our feedback comes from.
    let feedbackSsrc: UInt32

    var roundTrip = RoundTripTime()
    var repeats: RepeatLog

    /// What its next reports echo.
    var references = ReferenceTimes()
    /// The offset of its clock, as its sender reports tell it.
    var clock = PublisherClock()
    /// When the reports of once a second are due, ns.
    var reportsDue: UInt64 = 0

    /// Of the pair in use, while none is in use that was checked with `credentials` (RFC 8445 section 9).
    private var formerCredentials: LocalCredentials?

    /// Slots that send and whose packets name their m-line still (`StreamName`).
    var awaitedNames: UInt16 = 0
    /// Slots whose receiver reported a burst of loss last.
    var lossySlots: UInt16 = 0

    /// The first of its Tracks and Slots; indices.
    var firstTrack = Link.none
    var firstSlot = Link.none

    init(
        _ open: OpenSession, streams: ReceiveStreams, arrivals: ArrivalLog, repeats: RepeatLog, feedbackSsrc: UInt32,
        now: UInt64
    ) {
        handle = open.session
        credentials = LocalCredentials(ufragSecret: open.ufragSecret, password: open.password)
        self.streams = streams
        self.arrivals = arrivals
        self.repeats = repeats
        self.feedbackSsrc = feedbackSsrc
        lastCheck = now
        consentAt = now
    }

    /// The peer agreed lately to be sent something at `remote`.
    func hasConsent(now: UInt64) -> Bool { now &- consentAt <= Self.consentExpiry }

    /// When the peer last showed that it is there, ns: by a check, or by authentic media if it publishes. An ICE-lite agent
    /// asks for no consent itself, and its peer may send indications instead of checks (RFC 8445 section 11). A peer
    /// that only receives is of no use without consent.
    var lastLifeSign: UInt64 { firstTrack == Link.none ? lastCheck : max(lastCheck, heardAt) }

    /// Whether a nomination of another pair is to be followed. Our own candidates differ in nothing, so that the peer's
    /// priority orders the pairs (RFC 8445 section 6.1.2.3).
    func follows(nominationWith priority: UInt32, now: UInt64) -> Bool {
        nominatedAt == 0 || now &- nominatedAt >= Self.nominationTime || priority > nominatedPriority
    }

    /// The peer nominated the pair of `remote`. One that was checked with former credentials holds back none of a restart.
    mutating func noteNomination(priority: UInt32, with checked: LocalCredentials, now: UInt64) {
        guard checked.ufragSecret == credentials.ufragSecret else { return }
        if nominatedAt == 0 { nominatedAt = max(now, 1) }
        nominatedPriority = priority
    }

    /// Takes credentials beside those of the pair in use. Of several restarts the latest counts.
    mutating func restart(with credentials: LocalCredentials) {
        formerCredentials = formerCredentials ?? self.credentials
        self.credentials = credentials
        nominatedAt = 0
    }

    /// Those with this secret, if they hold.
    func credentials(of ufragSecret: UInt64) -> LocalCredentials? {
        if credentials.ufragSecret == ufragSecret { return credentials }
        return formerCredentials?.ufragSecret == ufragSecret ? formerCredentials : nil
    }

    /// A pair that was checked with these credentials is in use: a restart is over.
    mutating func settle(on checked: LocalCredentials) {
        if checked.ufragSecret == credentials.ufragSecret { formerCredentials = nil }
    }

    /// Before credits are spent: gives those of a new tick.
    mutating func renewCredits(now: UInt64) {
        let tick = now / Self.tick
        guard tick != creditedTick else { return }
        creditedTick = tick
        resendCredits = Self.resendsPerTick
        statusCredits = CongestionConstants.statusesPerTick
        puntCredits = Self.puntsPerTick
    }

    /// Whether a datagram from this address is the peer's.
    func knows(_ endpoint: Endpoint) -> Bool {
        for index in 0..<flowCount where flows[index] == endpoint { return true }
        return false
    }
}
