import Mailbox
import Wire

/// What control does for one meeting of ten: who is heard, and who is seen in which size.
///
/// It maps as the Director does (Conference: `AudioStage`, `SlotAssigner`, `TileHeight`), by the same commands: four are on
/// the stage, and everybody hears three of them that are not itself. Nine tiles of a gallery are 360 pixels high; where one is
/// the speaker's it has 720, and the others 180.
struct MeetingStage {
    /// Between two changes of who is on the stage, ns.
    static let interval: UInt64 = 4_000_000_000

    /// The first of its people, among all.
    let first: Int
    /// Seats. The first one speaks.
    private(set) var holders: [Int] = []
    var changeDue: UInt64

    init(first: Int, changeDue: UInt64) {
        self.first = first
        self.changeDue = changeDue
    }

    /// Somebody new comes to the stage and speaks, whose turn was longest ago. The first time it fills.
    mutating func change() {
        changeDue += Self.interval
        guard let speaker = holders.first else {
            holders = [0, 1, 2, 3]
            return
        }
        let newcomer = (speaker + 3) % MeetingPerson.count
        holders = Array(([newcomer] + holders.filter { $0 != newcomer }).prefix(4))
    }

    /// The seats that a seat sees, in the order of the Slots.
    static func others(_ seat: Int) -> [Int] { (0..<MeetingPerson.count).filter { $0 != seat } }

    /// Of the tile of `seat` for a viewer, pixels.
    func height(of seat: Int, for person: MeetingPerson) -> UInt16 {
        guard person.hasSpeakerView else { return 360 }
        let large = holders[0] == person.seat ? holders[1] : holders[0]
        return seat == large ? 720 : 180
    }

    /// Whom a seat hears.
    func voices(for seat: Int) -> [Int] { Array(holders.filter { $0 != seat }.prefix(MeetingPerson.audioSlots)) }
}

extension MeetingCrowd {
    /// Sessions are open already: their Tracks and Slots.
    func openCommands(_ stage: MeetingStage) -> [Command] {
        var commands: [Command] = []
        for number in stage.first..<stage.first + MeetingPerson.count {
            commands += publications(people[number])
            commands += (0..<MeetingPerson.slots).map { openSlot(people[number], $0) }
        }
        return commands
    }

    /// Header extensions as browsers negotiate them.
    static var extensions: ExtensionMap {
        var extensions = ExtensionMap()
        extensions.transportSequence = BenchmarkPeer.transportSequenceID
        extensions.audioLevel = BenchmarkPeer.audioLevelID
        extensions.mid = midID
        extensions.rid = ridID
        extensions.repairedRid = ridID + 1
        return extensions
    }

    private func publications(_ person: MeetingPerson) -> [Command] {
        let session = person.peer.session
        let rids = InlineArray<3, LayerDescription> { LayerDescription(rid: ShortText("\($0)")!) }
        return [
            .configureSession(session, Self.extensions),
            .openTrack(
                OpenTrack(
                    track: person.camera, source: .session(session), mid: ShortText("0")!, kind: .video, codec: .vp8,
                    payloadTypes: PayloadTypes(media: 96, rtx: 97), layers: rids, layerCount: 3)),
            .openTrack(
                OpenTrack(
                    track: person.microphone, source: .session(session), mid: ShortText("1")!, kind: .audio,
                    codec: .opus, payloadTypes: PayloadTypes(media: 111), layers: .init(repeating: .init()),
                    layerCount: 1)),
        ]
    }

    private func openSlot(_ person: MeetingPerson, _ place: Int) -> Command {
        let isVideo = place < MeetingPerson.videoSlots
        let slot = person.slot(place)
        let ssrc = BenchmarkSource.firstSlotSsrc + UInt32(slot.index) * 2
        var types = PayloadTypeMap()
        types[.vp8] = PayloadTypes(media: BenchmarkSource.cameraPayloadType, rtx: 121)
        types[.opus] = PayloadTypes(media: 122)
        return .openSlot(
            OpenSlot(
                slot: slot, session: person.peer.session, kind: isVideo ? .video : .audio, mid: ShortText("s\(place)")!,
                ssrc: ssrc, rtxSsrc: isVideo ? ssrc + 1 : 0, payloadTypes: types))
    }

    /// The commands that give everybody of a meeting what the stage says, where it is not so yet.
    mutating func arrange(_ stage: MeetingStage, now: UInt64) -> [Command] {
        var commands: [Command] = []
        for seat in 0..<MeetingPerson.count {
            let person = people[stage.first + seat]
            for (place, other) in MeetingStage.others(seat).enumerated() {
                let height = stage.height(of: other, for: person)
                let slot = slots + person.number * MeetingPerson.slots + place
                guard slot.pointee.height != height else { continue }
                slot.pointee.height = height
                slot.pointee.person = Int32(stage.first + other)
                commands.append(
                    .mapSlot(
                        MapSlot(slot: person.slot(place), track: people[stage.first + other].camera, maxHeight: height))
                )
            }
            commands += arrangeVoices(stage, person, now: now)
            people[person.number].level = stage.holders.contains(seat) ? 25 : 100
        }
        tally.commands += commands.count
        return commands
    }

    /// Who is heard already stays in its Slot.
    private mutating func arrangeVoices(_ stage: MeetingStage, _ person: MeetingPerson, now: UInt64) -> [Command] {
        let first = person.number * MeetingPerson.slots + MeetingPerson.videoSlots
        var wanted = stage.voices(for: person.seat).map { Int32(stage.first + $0) }
        var free: [Int] = []
        for place in 0..<MeetingPerson.audioSlots {
            if let kept = wanted.firstIndex(of: slots[first + place].person) {
                wanted.remove(at: kept)
            } else {
                free.append(place)
            }
        }
        return zip(free, wanted).map { place, voice in
            slots[first + place].person = voice
            slots[first + place].changedAt = now
            return .mapSlot(
                MapSlot(
                    slot: person.slot(MeetingPerson.videoSlots + place), track: people[Int(voice)].microphone,
                    maxHeight: 0))
        }
    }
}
