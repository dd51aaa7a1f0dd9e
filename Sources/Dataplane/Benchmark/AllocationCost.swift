import Mailbox
import Wire

/// Work for benchmarks: newcomers allocate while the relay's other clients go on.
@_spi(Benchmark)
extension RelayCost {
    /// What newcomers have, and how control looks at it.
    public struct Newcomers {
        let username: [UInt8]
        let key: [UInt8]
        let authorize: (UnsafeRawBufferPointer) -> Bool

        /// - Parameters:
        ///   - username: of a credential; `key` is what the client makes of it.
        ///   - authorize: control's check of a request with credentials.
        public init(username: [UInt8], key: [UInt8], authorize: @escaping (UnsafeRawBufferPointer) -> Bool) {
            self.username = username
            self.key = key
            self.authorize = authorize
        }
    }

    /// How many allocations a round makes; so many packets of others are relayed in the same bursts.
    public static var newcomersPerRound: Int { 32 }
    public static var packetsBetween: Int { 224 }

    /// The time in which worker and control, one after the other, take so many newcomers from their first request, which is
    /// challenged, to the answer; every packet between must be relayed. The allocations are given back after it.
    public mutating func allocationRound(_ newcomers: Newcomers) throws(PortFailure) -> ForwardingCost.Round {
        let count = Self.newcomersPerRound
        let relayed = worker.pointee.counters[.relayedPacketsToPeer]
        try fillBurst { cost, place, index in
            cost.write(requestOf: index, STUNMethod.allocate, to: place, credentials: nil) { $0.addTransport() }
        }
        var cycles = runTurns()
        try fillBurst { cost, place, index in
            cost.write(requestOf: index, STUNMethod.allocate, to: place, credentials: newcomers) { $0.addTransport() }
        }
        cycles &+= runTurns()
        let began = clock.cycles()
        while let request = mailbox.turn.requests.pop() {
            let isGood = withUnsafeBytes(of: request.bytes) { bytes in
                newcomers.authorize(UnsafeRawBufferPointer(rebasing: bytes[0..<Int(request.count)]))
            }
            let grant = GrantAllocation(request, key: newcomers.key, usesSHA256: false, user: .max)
            guard isGood, mailbox.turn.commands.push(.grant(grant)) else { throw PortFailure("control refused") }
        }
        cycles &+= clock.cycles() &- began
        for _ in 0..<16 where mailbox.turn.commands.count > 0 {
            now &+= HousekeepingSchedule.interval
            let began = clock.cycles()
            _ = worker.pointee.turn(now: now)
            cycles &+= clock.cycles() &- began
        }
        var opened = 0
        while case .allocationOpened(let handle, _, _) = mailbox.turn.events.pop() {
            opened += 1
            guard mailbox.turn.commands.push(.close(handle)) else { throw PortFailure("the ring of commands is full") }
        }
        for _ in 0..<16 where mailbox.turn.commands.count > 0 {
            now &+= HousekeepingSchedule.interval
            _ = worker.pointee.turn(now: now)
        }
        while mailbox.turn.events.pop() != nil {}
        guard opened == count else { throw PortFailure("the worker made \(opened) allocations of \(count)") }
        let packets = UInt64(2 * Self.packetsBetween)
        guard worker.pointee.counters[.relayedPacketsToPeer] == relayed + packets else {
            throw PortFailure("the worker lost a packet")
        }
        return ForwardingCost.Round(cycles: cycles, packets: count)
    }

    /// A burst with a request of each newcomer, and packets of others between them.
    private mutating func fillBurst(
        _ request: (inout RelayCost, _ place: Int, _ newcomer: Int) -> Void
    ) throws(PortFailure) {
        let count = Self.newcomersPerRound + Self.packetsBetween
        let stride = count / Self.newcomersPerRound
        guard pool.allocate(into: worker.pointee.queue.frames, count: count) else {
            throw PortFailure("the pool has no buffers left for the load")
        }
        for place in 0..<count {
            if place % stride == 0 {
                request(&self, place, allocations + place / stride)
            } else {
                write(to: worker.pointee.queue.frames[place], index: position &* 7_919 % allocations, toPeer: true)
                position += 1
            }
        }
        worker.pointee.queue.fill(count)
    }

    private mutating func write(
        requestOf index: Int, _ method: UInt16, to place: Int, credentials: Newcomers?,
        _ body: (inout STUNWriter) -> Void
    ) {
        let packet = worker.pointee.queue.frames[place]
        guard let credentials else { return compose(index, method, in: packet, username: nil, key: [], body) }
        compose(index, method, in: packet, username: credentials.username, key: credentials.key, body)
    }
}

extension STUNWriter {
    /// REQUESTED-TRANSPORT: UDP.
    fileprivate mutating func addTransport() { add(STUNAttributeType.requestedTransport, UInt32(17) << 24) }
}
