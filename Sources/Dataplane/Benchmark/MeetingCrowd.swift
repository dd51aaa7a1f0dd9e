import Mailbox
import Wire

/// The people of many meetings of ten: what they send, and what they make of what they get.
struct MeetingCrowd: ~Copyable {
    /// Transport-wide numbers that are remembered for each; a power of two.
    static let heard = 1_024
    /// One way, ns.
    static let delay: UInt64 = 20_000_000
    static let feedbackInterval: UInt64 = 50_000_000
    static let midID: UInt8 = 4
    static let ridID: UInt8 = 10
    /// Packets of a stream that name it.
    static let namedPackets: UInt64 = 1_010

    let pool: BufferPool
    let count: Int
    let people: UnsafeMutablePointer<MeetingPerson>
    /// Three for each.
    let layers: UnsafeMutablePointer<MeetingLayer>
    /// `MeetingPerson.slots` for each.
    let slots: UnsafeMutablePointer<MeetingSlot>
    /// `heard` for each: when it was sent, ns, doubled, and one more where it was lost.
    let times: UnsafeMutablePointer<UInt64>
    /// `MeetingLoss.most` for each.
    let losses: UnsafeMutablePointer<MeetingLoss>
    let ticks: UnsafeMutablePointer<Int64>
    let engine: UnsafeMutablePointer<SRTPEngine>
    private let keys: UnsafeMutableRawPointer
    var random = RandomSource(seed: 10)
    /// What was sent last and is not on its way yet.
    var fresh: [MeetingQueue.Arrival] = []
    var tally = MeetingsTally()

    init(meetings: Int, pool: BufferPool, mac: MACAddress) {
        self.pool = pool
        count = meetings * MeetingPerson.count
        people = .allocate(capacity: count)
        layers = .allocate(capacity: count * 3)
        layers.initialize(repeating: MeetingLayer(), count: count * 3)
        slots = .allocate(capacity: count * MeetingPerson.slots)
        slots.initialize(repeating: MeetingSlot(), count: count * MeetingPerson.slots)
        times = .allocate(capacity: count * Self.heard)
        times.initialize(repeating: 0, count: count * Self.heard)
        losses = .allocate(capacity: count * MeetingLoss.most)
        ticks = .allocate(capacity: Self.heard)
        engine = .allocate(capacity: 1)
        engine.initialize(to: SRTPEngine())
        keys = LargeMemory.allocate(byteCount: count * 2 * SRTPTransform.byteCount)
        for number in 0..<count { add(number, meetings: meetings, mac: mac) }
    }

    deinit {
        for number in 0..<count {
            people[number].sealing.erase()
            people[number].opening.erase()
        }
        for arrival in fresh { arrival.packet.free() }
        people.deinitialize(count: count)
        people.deallocate()
        layers.deallocate()
        slots.deallocate()
        times.deallocate()
        losses.deallocate()
        ticks.deallocate()
        engine.deinitialize(count: 1)
        engine.deallocate()
        keys.deallocate()
    }

    private mutating func add(_ number: Int, meetings: Int, mac: MACAddress) {
        let peer = BenchmarkPeer(index: number, mac: mac)
        let memory = keys + number * 2 * SRTPTransform.byteCount
        let profile = SRTPProfile.aeadAes128Gcm
        let meeting = number / MeetingPerson.count
        let begin = random.next() % MeetingLayer.pictureInterval
        (people + number).initialize(
            to: MeetingPerson(
                peer: peer, number: number,
                sealing: .install(
                    at: memory, engine: engine.pointee, profile: profile, master: peer.master(profile, isSend: false)),
                opening: .install(
                    at: memory + SRTPTransform.byteCount, engine: engine.pointee, profile: profile,
                    master: peer.master(profile, isSend: true)),
                isStrict: meeting == 0 || meeting == meetings / 2, loss: number % 10 == 0 ? 10 : 1,
                pictureBegan: begin, videoDue: begin, audioDue: random.next() % MeetingLayer.soundInterval,
                reportDue: random.next() % 1_000_000_000, checkDue: random.next() % 2_500_000_000,
                feedbackDue: random.next() % Self.feedbackInterval,
                lossIndicationDue: random.next() % 20_000_000_000))
    }

    /// All that is due is due from a time on.
    mutating func begin(at now: UInt64) {
        for number in 0..<count {
            let person = people + number
            person.pointee.pictureBegan += now
            person.pointee.videoDue += now
            person.pointee.audioDue += now
            person.pointee.reportDue += now
            person.pointee.checkDue += now
            person.pointee.feedbackDue += now
            person.pointee.lossIndicationDue += now
        }
    }

    /// Begins to count anew.
    mutating func beginCounting() {
        tally = MeetingsTally()
        for place in 0..<count * 3 { layers[place].packets = 0 }
        for place in 0..<count * MeetingPerson.slots { slots[place].packets = 0 }
    }

    /// Video Slots that got less than the layer of their size had since it was counted, and all of them.
    func starvedSlots() -> (starved: Int, all: Int) {
        var (starved, all) = (0, 0)
        for number in 0..<count {
            for place in 0..<MeetingPerson.videoSlots {
                let slot = slots[number * MeetingPerson.slots + place]
                // Those of speakers' viewers change between sizes.
                guard slot.person >= 0, !people[number].hasSpeakerView else { continue }
                let sent = layers[Int(slot.person) * 3 + 1].packets
                all += 1
                // Some are on their way.
                if slot.packets + 24 < sent { starved += 1 }
            }
        }
        return (starved, all)
    }
}
