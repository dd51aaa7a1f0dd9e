import Meetings
import Synchronization

/// The Registry of a PoP without a fleet, and of a simulated fleet: in memory, on a clock that is given.
public final class MemoryRegistry: Registry {
    private let store: Store
    private let caller: PoPInstance

    /// - Parameter store: what the PoPs of one fleet share.
    public init(_ store: Store, as caller: PoPInstance) {
        self.store = store
        self.caller = caller
    }

    public var isUp: Bool { store.isUp }

    public func announce(_ record: PoPRecord) async throws(RegistryError) -> PoPInstance? {
        guard record.name == caller.name, let json = record.json, json.count <= PoPRecord.sizeLimit else {
            throw .invalid("record of \(record.name)")
        }
        return try store.change { $0.announce(record, by: caller, until: $1 + store.times.record) }
    }

    public func withdraw() async throws(RegistryError) {
        let name = caller.name
        try store.change { contents, _ in contents.records[name] = nil }
    }

    public func pops() async throws(RegistryError) -> [PoPRecord] { try store.change { $0.pops(at: $1) } }

    public func claim(_ meeting: MeetingID, number: MeetingNumber) async throws(RegistryError) -> ClaimOutcome {
        try store.change { contents, now in
            let lease = contents.meetings[meeting]
            let isAlive = lease.map { now < $0.until } ?? false
            if let lease, isAlive, lease.holder.name != caller.name { return .held(by: lease.home) }
            if let other = contents.other(than: meeting, with: number, at: now) { return .numberTaken(by: other) }
            let isRenewal = isAlive && lease?.holder == caller
            let epoch = (lease?.epoch ?? 0) + (isRenewal ? 0 : 1)
            return contents.grant(meeting, number, to: caller, epoch, at: now, store.times)
        }
    }

    public func takeOver(
        _ meeting: MeetingID, number: MeetingNumber, seen: UInt64, homeIsDead: Bool
    ) async throws(RegistryError) -> ClaimOutcome {
        guard Home.epochs.contains(seen) else { throw .invalid("epoch \(seen)") }
        return try store.change { contents, now in
            let lease = contents.meetings[meeting]
            let isAlive = lease.map { now < $0.until } ?? false
            if let lease, isAlive, lease.holder.name != caller.name, !homeIsDead || lease.epoch != seen {
                return .held(by: lease.home)
            }
            if let other = contents.other(than: meeting, with: number, at: now) { return .numberTaken(by: other) }
            if let lease, isAlive, lease.holder == caller, lease.epoch >= seen {
                return contents.grant(meeting, number, to: caller, lease.epoch, at: now, store.times)
            }
            let epoch = max(lease?.epoch ?? 0, seen) + 1
            return contents.grant(meeting, number, to: caller, epoch, at: now, store.times)
        }
    }

    public func renew(_ leases: [Lease]) async throws(RegistryError) -> RenewalOutcome {
        for lease in leases where !Home.epochs.contains(lease.epoch) { throw .invalid("epoch \(lease.epoch)") }
        return try store.change { contents, now in
            var outcome = RenewalOutcome()
            for lease in leases {
                if let found = contents.meetings[lease.meeting],
                    found.epoch > lease.epoch || (found.epoch == lease.epoch && found.holder != caller)
                {
                    outcome.lost[lease.meeting] = found.home
                    continue
                }
                let other = contents.other(than: lease.meeting, with: lease.number, at: now)
                outcome.numbersLost[lease.meeting] = other
                contents.put(
                    lease.meeting, lease.number, caller, lease.epoch, at: now, store.times, withNumber: other == nil)
            }
            return outcome
        }
    }

    public func release(_ meeting: MeetingID, epoch: UInt64) async throws(RegistryError) {
        guard Home.epochs.contains(epoch) else { throw .invalid("epoch \(epoch)") }
        try store.change { contents, now in
            guard let lease = contents.meetings[meeting], lease.holder == caller, lease.epoch == epoch else { return }
            contents.meetings[meeting]?.until = now
            if contents.numbers[lease.number] == meeting { contents.numbers[lease.number] = nil }
        }
    }

    public func find(_ meeting: MeetingID) async throws(RegistryError) -> Registration? {
        try store.change { $0.registration(of: meeting, at: $1) }
    }

    public func find(_ number: MeetingNumber) async throws(RegistryError) -> Registration? {
        try store.change { contents, now in
            guard let meeting = contents.numbers[number],
                let found = contents.registration(of: meeting, at: now), found.number == number
            else { return nil }
            return found
        }
    }
}

extension MemoryRegistry {
    /// What the PoPs of one fleet share. Any thread may use it; each call is atomic.
    public final class Store: Sendable {
        let times: RegistryTimes
        private let now: @Sendable () -> Duration
        private let contents = Mutex(Contents())
        private let isReachable = Mutex(true)

        /// - Parameter now: the time since any one instant; it never goes back.
        public init(times: RegistryTimes = .init(), now: @escaping @Sendable () -> Duration) {
            self.times = times
            self.now = now
        }

        public var isUp: Bool { isReachable.withLock { $0 } }

        /// For simulations: while it is not up, every call fails.
        public func setUp(_ isUp: Bool) { isReachable.withLock { $0 = isUp } }

        /// Forgets everything, as a Redis without a disk does that is started again.
        public func forget() { contents.withLock { $0 = Contents() } }

        fileprivate func change<Result: Sendable>(
            _ body: (inout Contents, _ now: Duration) -> Result
        ) throws(RegistryError) -> Result {
            guard isUp else { throw .unavailable("switched off") }
            let now = now()
            return contents.withLock { contents in
                contents.expire(at: now)
                return body(&contents, now)
            }
        }
    }

    fileprivate struct Contents {
        struct Lease {
            var holder: PoPInstance
            var epoch: UInt64
            var number: MeetingNumber
            var until: Duration
            /// When the epoch may be forgotten.
            var remembered: Duration

            var home: Home { Home(pop: holder.name, epoch: epoch) }
        }

        var records: [PoPName: (record: PoPRecord, caller: PoPInstance, until: Duration)] = [:]
        var meetings: [MeetingID: Lease] = [:]
        var numbers: [MeetingNumber: MeetingID] = [:]
        private var nextExpiry: Duration = .zero

        mutating func announce(_ record: PoPRecord, by caller: PoPInstance, until: Duration) -> PoPInstance? {
            let before = records.updateValue((record, caller, until), forKey: record.name)?.caller
            return before == caller ? nil : before
        }

        func pops(at now: Duration) -> [PoPRecord] {
            let alive = records.values.filter { now < $0.until }.map(\.record)
            return Array(alive.sorted { $0.name < $1.name }.prefix(RegistryLimits.pops))
        }

        func registration(of meeting: MeetingID, at now: Duration) -> Registration? {
            guard let lease = meetings[meeting], now < lease.until else { return nil }
            return Registration(meeting: meeting, number: lease.number, home: lease.home)
        }

        /// Another meeting that is alive and has the number.
        func other(than meeting: MeetingID, with number: MeetingNumber, at now: Duration) -> MeetingID? {
            guard let other = numbers[number], other != meeting,
                registration(of: other, at: now)?.number == number
            else { return nil }
            return other
        }

        mutating func grant(
            _ meeting: MeetingID, _ number: MeetingNumber, to holder: PoPInstance, _ epoch: UInt64, at now: Duration,
            _ times: RegistryTimes
        ) -> ClaimOutcome {
            put(meeting, number, holder, epoch, at: now, times, withNumber: true)
            return .granted(epoch: epoch)
        }

        mutating func put(
            _ meeting: MeetingID, _ number: MeetingNumber, _ holder: PoPInstance, _ epoch: UInt64, at now: Duration,
            _ times: RegistryTimes, withNumber: Bool
        ) {
            meetings[meeting] = Lease(
                holder: holder, epoch: epoch, number: number, until: now + times.lease,
                remembered: now + times.epoch)
            if withNumber { numbers[number] = meeting }
        }

        /// Once a second at most: all of it is looked at.
        mutating func expire(at now: Duration) {
            guard now >= nextExpiry else { return }
            nextExpiry = now + .seconds(1)
            records = records.filter { now < $0.value.until }
            meetings = meetings.filter { now < $0.value.remembered }
            numbers = numbers.filter { now < (meetings[$0.value]?.until ?? .zero) }
        }
    }
}
