import Synchronization

/// Why a packet or a message was dropped; each reason is a counter. Raw values index `Counters.drops`.
@frozen
public enum DropReason: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    // port
    case noBuffer, transmitFull, transmitFullUpperLayer, transmitFullCamera, transmitFullScreen, transmitFullAudio
    case transmitRefused, linkDown
    // exception: the way to the kernel
    case exceptionRate, exceptionFull, exceptionRefused
    // classify
    case truncated, notOurs, badAddress, fragment, unknownPort, unknownFlow, unknownProtocol, oversize
    // stun
    case stunMalformed, stunUnknownUser, stunBadIntegrity, stunUnsupported, flowTableFull
    // dtls
    case dtlsBeforeICE, puntFull
    // srtp
    case srtpNoKeys, srtpAuthentication, srtpReplay, rtpMalformed, rtpUnknownSource, rtcpMalformed, feedbackFlood
    // forward
    case handoverFull, tapFull, pacerFull
    // relay
    case relayNoAllocation, relayNoChannel, relayNoPermission, relayMalformed, relayUnauthenticated, relayRate
    case relayBandwidth, relayNoRoute, relayStreamFull, relayPuntFull, relayLoop
    // control
    case staleHandle, tableFull, eventFull

    /// The packet's stage at which it fell, the metric's `stage` label.
    public var stage: String {
        switch self {
        case .noBuffer, .transmitFull, .transmitFullUpperLayer, .transmitFullCamera, .transmitFullScreen,
            .transmitFullAudio, .transmitRefused, .linkDown:
            "port"
        case .exceptionRate, .exceptionFull, .exceptionRefused: "exception"
        case .truncated, .notOurs, .badAddress, .fragment, .unknownPort, .unknownFlow, .unknownProtocol, .oversize:
            "classify"
        case .stunMalformed, .stunUnknownUser, .stunBadIntegrity, .stunUnsupported, .flowTableFull: "stun"
        case .dtlsBeforeICE, .puntFull: "dtls"
        case .srtpNoKeys, .srtpAuthentication, .srtpReplay, .rtpMalformed, .rtpUnknownSource, .rtcpMalformed,
            .feedbackFlood:
            "srtp"
        case .handoverFull, .tapFull, .pacerFull: "forward"
        case .relayNoAllocation, .relayNoChannel, .relayNoPermission, .relayMalformed, .relayUnauthenticated,
            .relayRate,
            .relayBandwidth, .relayNoRoute, .relayStreamFull, .relayPuntFull, .relayLoop:
            "relay"
        case .staleHandle, .tableFull, .eventFull: "control"
        }
    }
}

/// What a worker counts besides drops. Totals only grow; gauges are written whole.
@frozen
public enum Counter: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    case receivedPackets, receivedBytes, transmittedPackets, transmittedBytes
    case forwardedPackets, retransmittedPackets
    /// Packets that were asked for again before they can have come, or too often.
    case resendsHeldBack
    /// Clusters of packets that show what the path carries, and their packets.
    case probes, probePackets
    /// Packets that waited, as their Session was over its budget.
    case pacedPackets
    /// Packets of temporal layers that a Slot does not get for want of bandwidth.
    case omittedPackets
    /// How often a path's queue became much longer than wanted.
    case overuses
    /// Sounds that went out with those before them, and the bytes of those before them.
    case redundantPackets, redundantBytes
    /// Bytes of RTP packets that were sent again, and of those that were sent for probes alone.
    case retransmittedBytes, probeBytes
    /// Statuses of feedback on packets that were not sent, or too long ago.
    case feedbackUnknown
    case nacksReceived, nacksSent, keyframeRequestsReceived, keyframeRequestsSent
    case stunRequests, puntedPackets, handoverPackets
    /// Frames that took the exception path.
    case exceptionToKernel, exceptionFromKernel
    /// TSC cycles in turns that did work, and in all turns.
    case busyCycles, totalCycles
    /// TSC cycles for which the system let the worker's thread run, told 50 times a second.
    case runningCycles
    /// ns in turns that took far longer than a turn can: the system gave the core to somebody else.
    case stalledNanoseconds
    /// Turns of the poll loop; a heartbeat for whoever watches.
    case turns
    // TURN: requests with credentials, plain Binding requests answered, allocations made and ended
    case turnRequests, stunAnswers, allocationsOpened, allocationsClosed
    /// Relayed payload, from client to peer and from peer to client.
    case relayedPacketsToPeer, relayedBytesToPeer, relayedPacketsToClient, relayedBytesToClient
    /// Of those, packets that did not leave the PoP's workers because the peer was our own.
    case relayShortCircuit
    /// TURN's error responses by code; a challenge is a 401 without credentials in the request.
    case turnChallenges, turnRefused400, turnRefused401, turnRefused403, turnRefused405, turnRefused420, turnRefused437
    case turnRefused438, turnRefused440, turnRefused441, turnRefused442, turnRefused443, turnRefused486, turnRefused508
    case turnRefusedOther
    // gauges
    case sessions, tracks, sinks, allocations
    /// Slots that show nothing for want of bandwidth.
    case pausedSlots
    /// Configured gateways whose link address is not known: bit 0 IPv4, bit 1 IPv6.
    case missingGateways
    /// What waits in the rings: to and from control, from the other workers, and for the transmit queue.
    case commandsWaiting, repliesWaiting, eventsWaiting, puntsWaiting, handoversWaiting, transmitWaiting
    /// How long nothing could be transmitted while the link is up, ms; 0 while the device takes frames.
    case transmitStall
    /// Packet buffers that are not in use.
    case buffersAvailable
}

/// A worker's counters in shared memory: the worker writes, control reads, nobody locks.
///
/// The worker counts in plain memory of its own and publishes now and then; the shared words are whole
/// cache lines of their own.
public struct Counters: @unchecked Sendable {
    static var words: Int { distributionBase + Distribution.allCases.reduce(0) { $0 + $1.words } }
    static var distributionBase: Int { Counter.allCases.count + DropReason.allCases.count }

    let shared: UnsafeMutablePointer<Atomic<UInt64>>

    public init() {
        shared =
            UnsafeMutableRawPointer
            .allocate(byteCount: (Self.words + 32) * 8, alignment: 128)
            .bindMemory(to: Atomic<UInt64>.self, capacity: Self.words)
        for index in 0..<Self.words { (shared + index).initialize(to: Atomic(0)) }
    }

    public func deallocate() { UnsafeMutableRawPointer(shared).deallocate() }

    /// Control: what the worker published last.
    public subscript(counter: Counter) -> UInt64 {
        shared[Int(counter.rawValue)].load(ordering: .relaxed)
    }

    /// Control: packets dropped for `reason`.
    public subscript(reason: DropReason) -> UInt64 {
        shared[Counter.allCases.count + Int(reason.rawValue)].load(ordering: .relaxed)
    }

    /// Control: a distribution as the worker published it last.
    public subscript(distribution: Distribution) -> DistributionReading {
        let base = Self.distributionBase + Distribution.offset(of: distribution)
        let words = (0..<distribution.words).map { shared[base + $0].load(ordering: .relaxed) }
        return DistributionReading(bounds: distribution.bounds, counts: Array(words.dropFirst()), sum: words[0])
    }
}

/// The worker's own side of its counters: plain words, written by its thread alone.
@frozen
public struct LocalCounters: ~Copyable {
    @usableFromInline let words: UnsafeMutablePointer<UInt64>
    @usableFromInline let count: Int
    @usableFromInline let dropBase: Int
    @usableFromInline let forwardBase: Int
    @usableFromInline let burstBase: Int
    @usableFromInline let estimateBase: Int
    @usableFromInline let queueBase: Int
    @usableFromInline let roundTripBase: Int
    @usableFromInline let lossBase: Int

    public init() {
        count = Counters.words
        words = .allocate(capacity: count)
        words.initialize(repeating: 0, count: count)
        dropBase = Counter.allCases.count
        forwardBase = Counters.distributionBase + Distribution.offset(of: .forward)
        burstBase = Counters.distributionBase + Distribution.offset(of: .burst)
        estimateBase = Counters.distributionBase + Distribution.offset(of: .pathEstimate)
        queueBase = Counters.distributionBase + Distribution.offset(of: .pathQueue)
        roundTripBase = Counters.distributionBase + Distribution.offset(of: .pathRoundTrip)
        lossBase = Counters.distributionBase + Distribution.offset(of: .pathLoss)
    }

    deinit { words.deallocate() }

    @inlinable @inline(__always)
    public func add(_ counter: Counter, _ amount: UInt64 = 1) { words[Int(counter.rawValue)] &+= amount }

    @inlinable @inline(__always)
    public func set(_ counter: Counter, _ value: UInt64) { words[Int(counter.rawValue)] = value }

    @inlinable @inline(__always)
    public func drop(_ reason: DropReason, _ amount: UInt64 = 1) { words[dropBase + Int(reason.rawValue)] &+= amount }

    /// A turn of so many ns forwarded `packets`.
    @inlinable @inline(__always)
    public func noteForward(nanoseconds: UInt64, packets: UInt64) {
        words[forwardBase] &+= nanoseconds &* packets
        words[forwardBase &+ 1 &+ Distribution.forwardClass(nanoseconds)] &+= packets
    }

    /// The device had `packets` (at least 1) at once.
    @inlinable @inline(__always)
    public func noteBurst(_ packets: Int) {
        words[burstBase] &+= UInt64(truncatingIfNeeded: packets)
        words[burstBase &+ 1 &+ Distribution.burstClass(packets)] &+= 1
    }

    /// A look at a Session's path: what it carries, kbit/s; how long packets wait on it, and how long it takes there and
    /// back, ms; what is lost, of 1000.
    public func notePath(estimate: UInt64, queue: UInt64, roundTrip: UInt64, loss: UInt64) {
        note(estimate, at: estimateBase, from: Distribution.leastEstimate, count: Distribution.estimateSteps)
        note(queue, at: queueBase, from: 1, count: Distribution.pathSteps)
        note(roundTrip, at: roundTripBase, from: 1, count: Distribution.pathSteps)
        note(loss, at: lossBase, from: 1, count: Distribution.pathSteps)
    }

    private func note(_ value: UInt64, at base: Int, from least: UInt64, count: Int) {
        words[base] &+= value
        words[base &+ 1 &+ Distribution.stepClass(value, from: least, count: count)] &+= 1
    }

    /// Shows control what was counted.
    public func publish(to counters: Counters) {
        for index in 0..<count { counters.shared[index].store(words[index], ordering: .relaxed) }
    }

    /// What was counted so far, for tests and for the worker's own decisions.
    @inlinable
    public subscript(counter: Counter) -> UInt64 { words[Int(counter.rawValue)] }
    @inlinable
    public subscript(reason: DropReason) -> UInt64 { words[dropBase + Int(reason.rawValue)] }
}
