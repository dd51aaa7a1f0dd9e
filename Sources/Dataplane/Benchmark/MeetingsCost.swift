import Glibc
import Mailbox
import Wire

/// Work for benchmarks: meetings of ten on one worker, with all that people send and all that they answer.
///
/// A virtual clock runs. Packets arrive by it, a turn takes as long on it as the time stamp counter says, and where the worker
/// has nothing to do it leaps to what comes next: so queues form as they would, and what people's side takes (sealing what
/// arrives, looking at what was sent) takes no time. What the worker sent goes to the device, which frees it, within what counts.
@_spi(Benchmark)
public struct MeetingsCost: ~Copyable {
    /// What came of some seconds of the virtual clock.
    public struct Window: Sendable {
        public var meetings = 0
        /// Of the virtual clock.
        public var seconds = 0.0
        /// Parts of the time in which the worker was busy, of slices of 20 ms, sorted.
        public var loads: [Double] = []
        public var tally = MeetingsTally()
        /// Packets by how long they waited until the worker took them, in us; the last has all others.
        public var waits = [Int](repeating: 0, count: 20_000)
        /// Packets that waited at once at most.
        public var mostWaiting = 0
        public var drops: UInt64 = 0
        /// By reason, where there are any.
        public var reasons: [String] = []
        public var probes: UInt64 = 0
        public var paced: UInt64 = 0
        public var retransmitted: UInt64 = 0
        public var turns = 0
        /// Turns in which the system took the core away: what it gave of it counts.
        public var disturbed = 0
        /// Tiles of galleries that got less than their size had, and all of them.
        public var starved = 0
        public var tiles = 0
        /// Slots that show nothing for want of bandwidth.
        public var paused = 0
        /// Packets in retransmission caches.
        public var cached = 0

        /// Packets that waited no longer than this, in us.
        public func wait(_ share: Double) -> Int {
            let rank = Int(Double(waits.reduce(0, +)) * share)
            var seen = 0
            for (place, count) in waits.enumerated() {
                seen += count
                if seen > rank { return place }
            }
            return 0
        }

        /// Of the slices.
        public func load(_ share: Double) -> Double {
            loads.isEmpty ? 0 : loads[min(Int(Double(loads.count) * share), loads.count - 1)]
        }
    }

    /// People's side is computed for so long at once, ns.
    private static let step: UInt64 = 2_000_000
    /// A worker's time for all that is not people's packets is in there: a whole round of its periodic work.
    private static let slice = HousekeepingSchedule.interval * UInt64(HousekeepingSchedule.slices)
    /// A turn that takes longer may have been interrupted, ns.
    private static let longTurn: UInt64 = 15_000
    /// Packets that may wait before the worker: half a second of 400 meetings.
    private static let mostArrivals = 1 << 20

    public let meetings: Int
    /// Packets for which the worker is waited with: 1, or a burst as on a core that has much to do.
    private let burst: Int
    private var room: BenchmarkRoom<MeetingQueue>
    private let mesh: HandoverMesh
    private let clock = CycleClock()
    private var crowd: MeetingCrowd
    private var stages: [MeetingStage]
    private var window = Window()
    private var sliceEnd: UInt64 = 0
    private var sliceBusy: UInt64 = 0

    /// Meetings whose people are all there, and nothing sent yet. `port` has one worker's queue and pool. With `gathers` the
    /// worker finds a whole burst in each turn, as where it has much to do, and less only once in a millisecond.
    public init(meetings: Int, gathers: Bool, port: borrowing DPDKPort) throws(PortFailure) {
        self.meetings = meetings
        burst = gathers ? Worker<MeetingQueue>.burst : 1
        mesh = HandoverMesh(workers: 1)
        let people = meetings * MeetingPerson.count
        let pool = port.pool(ofWorker: 0)
        room = BenchmarkRoom(
            capacity: Capacity(sessions: people, tracks: 2 * people, slots: MeetingPerson.slots * people),
            cacheBudget: pool.count * 7 / 8, mesh: mesh, pool: pool,
            queue: MeetingQueue(device: port.queue(ofWorker: 0), capacity: Self.mostArrivals), mac: port.mac)
        crowd = MeetingCrowd(meetings: meetings, pool: pool, mac: port.mac)
        stages = (0..<meetings).map {
            MeetingStage(
                first: $0 * MeetingPerson.count,
                changeDue: 1_000_000_000 * UInt64($0) / UInt64(meetings))
        }
        for number in 0..<people { try room.join(crowd.people[number].peer, profile: .aeadAes128Gcm) }
        for stage in stages {
            room.command(crowd.openCommands(stage))
        }
        // Answers to checks.
        room.worker.pointee.queue.release()
        crowd.begin(at: room.now)
        for place in stages.indices { stages[place].changeDue += room.now }
    }

    deinit {
        room.worker.pointee.queue.deallocate()
        mesh.deallocate()
    }

    /// The worker's tables for one meeting, bytes; packets are the pool's.
    public static var tableBytes: Int {
        Capacity(
            sessions: MeetingPerson.count, tracks: 2 * MeetingPerson.count,
            slots: MeetingPerson.slots * MeetingPerson.count
        ).byteCount
    }

    /// Lets so many seconds of the virtual clock pass.
    public mutating func run(seconds: Double) throws(PortFailure) -> Window {
        begin()
        let worker = room.worker
        let start = room.now
        let before = counts()
        let end = start &+ UInt64(seconds * 1e9)
        while room.now < end {
            let until = room.now &+ Self.step
            changeStages()
            try crowd.send(until: until, to: &worker.pointee.queue)
            window.mostWaiting = max(window.mostWaiting, worker.pointee.queue.waiting(at: room.now))
            work(until: until)
            room.forgetEvents()
        }
        window.meetings = meetings
        window.seconds = Double(room.now &- start) / 1e9
        window.loads.sort()
        window.tally = crowd.tally
        (window.starved, window.tiles) = crowd.starvedSlots()
        window.paused = worker.pointee.pausedSlots
        window.cached = worker.pointee.cachedPackets
        finish(since: before)
        return window
    }

    private mutating func begin() {
        window = Window()
        crowd.beginCounting()
        sliceEnd = room.now &+ Self.slice
        sliceBusy = 0
    }

    /// Drops by reason, then probes, paced and retransmitted packets.
    private func counts() -> [UInt64] {
        let worker = room.worker
        return DropReason.allCases.map { worker.pointee.counters[$0] }
            + [Counter.probes, .pacedPackets, .retransmittedPackets].map { worker.pointee.counters[$0] }
    }

    private mutating func finish(since before: [UInt64]) {
        let now = zip(counts(), before).map { $0 - $1 }
        for (reason, count) in zip(DropReason.allCases, now) where count > 0 {
            window.drops += count
            window.reasons.append("\(reason) \(count)")
        }
        (window.probes, window.paced, window.retransmitted) = (
            now[now.count - 3], now[now.count - 2], now[now.count - 1]
        )
    }

    /// Somebody else speaks where it is time.
    private mutating func changeStages() {
        for place in stages.indices where stages[place].changeDue <= room.now {
            stages[place].change()
            for command in crowd.arrange(stages[place], now: room.now) { _ = room.mailbox.commands.stage(command) }
        }
        room.mailbox.commands.commit()
    }

    /// The worker's turns up to a time.
    private mutating func work(until end: UInt64) {
        let worker = room.worker
        while room.now < end {
            let now = room.now
            closeSlices(now)
            let due = min(worker.pointee.housekeeping.due, worker.pointee.queue.time(of: burst))
            guard due <= now else {
                room.now = min(due, end)
                continue
            }
            let first = worker.pointee.queue.next
            worker.pointee.queue.now = now
            let owned = Self.ownedTime
            var began = clock.cycles()
            _ = worker.pointee.turn(now: now)
            var spent = timeOwned(clock.nanoseconds(clock.cycles() &- began), since: owned)
            let transmitted = worker.pointee.queue.transmittedCount
            crowd.take(worker.pointee.queue.transmitted, transmitted, now: now)
            began = clock.cycles()
            worker.pointee.queue.release()
            spent &+= min(clock.nanoseconds(clock.cycles() &- began), Self.longTurn)
            noteWaits(from: first, now: now)
            window.turns += 1
            sliceBusy &+= spent
            room.now &+= spent
        }
    }

    private mutating func noteWaits(from first: Int, now: UInt64) {
        let queue = room.worker.pointee.queue
        for place in first..<queue.next {
            window.waits[min(Int((now &- queue.arrivals[place].time) / 1_000), window.waits.count - 1)] += 1
        }
    }

    /// ns for which this thread had a core.
    private static var ownedTime: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// What took so long by the time stamp counter, without what the system gave to others meanwhile. `owned` was before it.
    private mutating func timeOwned(_ nanoseconds: UInt64, since owned: UInt64) -> UInt64 {
        guard nanoseconds > Self.longTurn else { return nanoseconds }
        let had = Self.ownedTime &- owned
        guard had < nanoseconds else { return nanoseconds }
        window.disturbed += 1
        return had
    }

    private mutating func closeSlices(_ now: UInt64) {
        while now >= sliceEnd {
            // What a turn took beyond the slice counts for the next.
            let part = min(sliceBusy, Self.slice)
            window.loads.append(Double(part) / Double(Self.slice))
            sliceBusy &-= part
            sliceEnd &+= Self.slice
        }
    }
}
