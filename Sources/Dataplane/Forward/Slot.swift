import Mailbox
import Wire

/// One receive m-line of a participant: the Sink that a Track's packets are rewritten for.
///
/// What each packet reads comes first, two cache lines with the beginning of `rewriter`; the table aligns it.
struct Slot: BitwiseCopyable {
    /// The next of the Track's list, and the one `aheadDistance` further on, which is prefetched; indices.
    var next = Link.none
    var ahead = Link.none
    let session: SessionHandle
    let ssrc: UInt32
    /// The layer that is shown; nil while a keyframe is awaited after a change of Track.
    var current: UInt8?
    /// The layer that should be shown; nil until one is sent.
    var target: UInt8?
    let kind: MediaKind
    /// Its media packets name the m-line (`name`).
    var isNamed: Bool
    /// It does not get all temporal layers, or did not lately.
    var isThinned = false
    /// For the Track's codec.
    var types = PayloadTypes()
    /// Since the start, for sender reports (RFC 3550 section 6.4.1).
    var packetsSent: UInt32 = 0
    var octetsSent: UInt32 = 0

    var rewriter: Rewriter
    /// Of the retransmission stream: what comes next, with its roll-overs.
    var rtxSequence: UInt64
    let rtxSsrc: UInt32

    var name: StreamName

    let handle: SlotHandle
    /// The Track that is mapped into it.
    var track = TrackHandle.none
    var maxHeight: UInt16 = 0
    let payloadTypes: PayloadTypeMap
    /// The layer that would be shown if all of the Track were sent.
    var best: UInt8 = 0
    /// Packets of it that wait for the pacer, and the highest number that was sent before them.
    var waiting: UInt32 = 0
    var sentUpTo: UInt64 = 0
    /// The highest number of a picture that was given up for want of bandwidth: nothing up to it is repeated.
    var cutAt: UInt64 = 0
    /// What of it the Session's bandwidth allows.
    private(set) var grant = LayerGrant.unlimited
    /// Its receiver reported a burst of loss last; counted by the Session.
    var isLossy = false
    /// Looks in a row that found that it may show nothing, up to `CongestionConstants.pausedLooks`: control was told then.
    private var pausedLooks: UInt8 = 0

    /// More links of the Track's list and of the Session's list.
    var previous = Link.none
    var nextOfSession = Link.none

    /// Places of the Track's list between a Slot and its `ahead`.
    static let aheadDistance = 4

    /// `entropy`: random bits, for the initial sequence numbers and timestamp (RFC 3550 section 5.1).
    init(_ open: OpenSlot, entropy: UInt64) {
        handle = open.slot
        session = open.session
        kind = open.kind
        ssrc = open.ssrc
        rtxSsrc = open.rtxSsrc
        var types = open.payloadTypes
        // Without an SSRC of its own nothing is sent as RTX: packets are repeated as they were, and must not vary then.
        if open.rtxSsrc == 0 {
            for index in types.entries.indices { types.entries[index].rtx = PayloadTypes().rtx }
        }
        payloadTypes = types
        name = StreamName(
            open.mid, hasRetransmissions: open.rtxSsrc != 0, isExact: open.kind.isVideo && types.repeatsAsIs)
        isNamed = name.until != 0
        rewriter = Rewriter(entropy: entropy)
        // Below 2^15, so that the receiver cannot take the first numbers for the end of a round (RFC 3711 section 3.3.1).
        rtxSequence = entropy >> 48 & 0x7fff
    }

    /// Nothing that came before waits to be sent.
    mutating func allow(_ grant: LayerGrant) {
        self.grant = grant
        guard temporalLimit < TemporalLayer.highest, !isThinned else { return }
        isThinned = true
        rewriter.beginSelection()
    }

    /// The highest temporal layer that it is to get. All, where a packet that is repeated must be the same to the bit: which
    /// picture id it had is not known for ever.
    var temporalLimit: UInt8 { types.hasRtx ? grant.temporalLimit : TemporalLayer.highest }

    /// A look, one each `CongestionConstants.tick`: whether control is to be told that nothing has been shown for long.
    mutating func notePause() -> Bool {
        guard pausedLooks < CongestionConstants.pausedLooks else { return false }
        guard grant == .none else {
            pausedLooks = 0
            return false
        }
        pausedLooks &+= 1
        return pausedLooks == CongestionConstants.pausedLooks
    }

    /// It shows something again, or has another Track.
    mutating func endPause() { pausedLooks = 0 }

    /// The layers of its Track that it wants: what it should show, and what it shows until then.
    var wanted: LayerSet {
        guard !grant.isNothing else { return LayerSet() }
        var wanted = LayerSet(best)
        if let target { wanted = wanted.union(LayerSet(target)) }
        if let current { wanted = wanted.union(LayerSet(current)) }
        return wanted
    }
}
