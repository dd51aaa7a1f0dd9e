import Meetings
import Wire

/// The media side of one room of a meeting: who gives what, in which order, and whose Slots that touches.
///
/// Every change answers the viewers to look at again, and none whose screen stays as it is: a join into a
/// large meeting costs those who have a free Slot, not everybody.
struct MediaMeeting {
    private(set) var members = Roster<ParticipantID>()
    /// Those with a camera that is on, in the order of joining.
    private(set) var cameras = Roster<ParticipantID>()
    /// Those who share a screen, in the order of beginning.
    private(set) var screens = Roster<ParticipantID>()
    /// Microphones in the order of joining, then second sounds in the same.
    private var openSounds = Roster<SourceID>()
    private var mutedSounds = Roster<SourceID>()
    private(set) var stage = AudioStage(audioSlots: 3)
    private(set) var ranking = SpeakerRanking()
    /// A host's microphone that is heard whatever the stage says; its host may be in another room.
    private(set) var voice: SourceID?

    /// Who lists whom in its view; kept while the named one is away.
    private var watchers: [ParticipantID: Set<ParticipantID>] = [:]
    private var views: [ParticipantID: MediaView] = [:]
    /// Members with a subject instead of tiles.
    private var subjects: [ParticipantID: MediaView.Subject] = [:]
    /// Who spoke last.
    private var lastSpeaker: ParticipantID?
    /// Members without a view of their own: they are shown everybody in the order of joining.
    private var defaultViewers: Set<ParticipantID> = []
    /// The most video Slots that a member ever had: who is further back in the order is on no default view.
    private var videoSlots = 0
    private var screenSerial: UInt64 = 0
    /// By kind, counted up whenever the answer of `wanted` may be another one for somebody, but for that one's view.
    private var revisions: [3 of Int] = [0, 0, 0]

    var isEmpty: Bool { members.isEmpty }

    // MARK: coming and going

    /// Adds a member that as yet gives nothing; `update` tells what it gives.
    mutating func join(_ member: MediaMember) {
        touchAll()
        members.insert(member.id, serial: member.serial)
        videoSlots = max(videoSlots, member.slotCount(.video))
        stage.widen(audioSlots: member.slotCount(.audio))
        setView(member.id, member.view)
    }

    /// Adds somebody at another PoP, who has no Slots here and as yet gives nothing.
    mutating func join(_ publisher: ParticipantID, serial: UInt64) {
        touchAll()
        members.insert(publisher, serial: serial)
    }

    /// - Returns: the viewers whose Slots may change.
    mutating func leave(_ participant: ParticipantID) -> Set<ParticipantID> {
        touchAll()
        var touched = update(participant, serial: 0, gives: MediaSources())
        dropView(of: participant)
        members.remove(participant)
        if lastSpeaker == participant { lastSpeaker = nil }
        touched.remove(participant)
        return touched
    }

    /// Takes what the participant's screen shows.
    mutating func setView(_ participant: ParticipantID, _ view: MediaView) {
        dropView(of: participant)
        guard view.subject == .tiles else {
            subjects[participant] = view.subject
            return
        }
        let view = view.without(participant)
        guard !view.isDefault else {
            defaultViewers.insert(participant)
            return
        }
        views[participant] = view
        for tile in view.tiles { watchers[tile, default: []].insert(participant) }
    }

    private mutating func dropView(of participant: ParticipantID) {
        defaultViewers.remove(participant)
        subjects[participant] = nil
        for tile in views.removeValue(forKey: participant)?.tiles ?? [] {
            watchers[tile]?.remove(participant)
            if watchers[tile]?.isEmpty == true { watchers[tile] = nil }
        }
    }

    // MARK: what a member gives

    /// - Parameter serial: the member's place in the order of joining.
    /// - Returns: the viewers whose Slots may change.
    mutating func update(
        _ participant: ParticipantID, serial: UInt64, gives sources: MediaSources
    ) -> Set<ParticipantID> {
        var touched: Set<ParticipantID> = []
        if cameras.contains(participant) != sources.camera {
            touched.formUnion(setCamera(participant, serial: serial, isOn: sources.camera))
        }
        if screens.contains(participant) != sources.screen {
            screenSerial += 1
            revisions[Int(MediaKind.screen.rawValue)] += 1
            if sources.screen {
                screens.insert(participant, serial: screenSerial)
            } else {
                screens.remove(participant)
            }
            touched.formUnion(members.members)
        }
        let microphone = setSound(SourceID(participant, .microphone), serial: serial, sources.microphone)
        let sound = setSound(SourceID(participant, .sound), serial: Self.secondSounds + serial, sources.sound)
        if microphone || sound { touched.formUnion(members.members) }
        touched.formUnion(touchSubjects())
        return touched
    }

    private mutating func setCamera(
        _ participant: ParticipantID, serial: UInt64, isOn: Bool
    ) -> Set<ParticipantID> {
        revisions[Int(MediaKind.video.rawValue)] += 1
        if isOn { cameras.insert(participant, serial: serial) }
        let position = cameras.position(of: participant) ?? 0
        if !isOn { cameras.remove(participant) }
        let watching = watchers[participant] ?? []
        // A viewer's own camera does not take one of its Slots, so one more than the Slots can matter.
        return position <= videoSlots ? watching.union(defaultViewers) : watching
    }

    /// Above the serial of any join: whoever speaks comes before what else sounds.
    private static let secondSounds: UInt64 = lastSerial + 1
    /// Of any join.
    static let lastSerial: UInt64 = 1 << 48 - 1

    /// - Returns: whether the stage changed.
    private mutating func setSound(_ source: SourceID, serial: UInt64, _ audio: MediaSources.Audio) -> Bool {
        if audio == .open {
            openSounds.insert(source, serial: serial)
        } else {
            openSounds.remove(source)
            ranking.remove(source)
        }
        if audio == .muted {
            mutedSounds.insert(source, serial: serial)
        } else {
            mutedSounds.remove(source)
        }
        let changed = stage.settle(unmuted: openSounds, muted: mutedSounds)
        if changed { revisions[Int(MediaKind.audio.rawValue)] += 1 }
        return changed
    }

    /// - Returns: the viewers whose Slots may change.
    mutating func setVoice(_ source: SourceID?) -> Set<ParticipantID> {
        guard voice != source else { return [] }
        voice = source
        revisions[Int(MediaKind.audio.rawValue)] += 1
        return Set(members.members)
    }

    // MARK: who speaks

    /// Takes a level (-dBov) of a sound; one that is said to be muted is not heard.
    mutating func note(_ source: SourceID, level: UInt8) {
        if openSounds.contains(source) { ranking.note(source, level: level) }
    }

    /// Orders the speakers anew; every `SpeakerRanking.period`.
    mutating func tick() -> (touched: Set<ParticipantID>, speakersChanged: Bool) {
        let speakersChanged = ranking.tick()
        let stageChanged = stage.challenge(by: ranking, muted: mutedSounds)
        if stageChanged { revisions[Int(MediaKind.audio.rawValue)] += 1 }
        var touched = stageChanged ? Set(members.members) : []
        if let speaker = ranking.participants.first, speaker != lastSpeaker {
            lastSpeaker = speaker
            touched.formUnion(touchSubjects())
        }
        return (touched, speakersChanged)
    }

    // MARK: whom a viewer should have

    /// While it stays the same, so does what a viewer wants of this kind, unless its view changes.
    func revision(of kind: MediaKind) -> Int { revisions[Int(kind.rawValue)] }

    /// Somebody's Tracks are others than before.
    mutating func renew() { touchAll() }

    /// A member with its Tracks came or went.
    private mutating func touchAll() { for kind in 0..<3 { revisions[kind] += 1 } }

    /// - Returns: the members whose subject may have changed.
    private mutating func touchSubjects() -> Set<ParticipantID> {
        guard !subjects.isEmpty else { return [] }
        touchAll()
        return Set(subjects.keys)
    }

    /// The sources for `count` Slots of a kind, the most important first.
    func wanted(_ kind: MediaKind, for viewer: ParticipantID, count: Int) -> [SourceID] {
        if let subject = subjects[viewer] { return wanted(kind, of: subject, for: viewer, count) }
        return switch kind {
        case .audio: heard(by: viewer, count)
        case .screen: firstOthers(screens.members, than: viewer, count).map { SourceID($0, .screen) }
        case .video:
            if let tiles = views[viewer]?.tiles {
                tiles.lazy.filter { cameras.contains($0) }.prefix(count).map { SourceID($0, .camera) }
            } else {
                firstOthers(cameras.members, than: viewer, count).map { SourceID($0, .camera) }
            }
        }
    }

    private func heard(by viewer: ParticipantID, _ count: Int) -> [SourceID] {
        let holders = stage.holders.lazy.filter { $0.participant != viewer }
        guard let voice, voice.participant != viewer else { return Array(holders.prefix(count)) }
        return Array(([voice] + holders.filter { $0 != voice }).prefix(count))
    }

    private func wanted(
        _ kind: MediaKind, of subject: MediaView.Subject, for viewer: ParticipantID, _ count: Int
    ) -> [SourceID] {
        if kind == .screen { return firstOthers(screens.members, than: viewer, count).map { SourceID($0, .screen) } }
        if case .participant(let participant) = subject {
            guard kind == .audio else {
                return cameras.contains(participant) ? [SourceID(participant, .camera)] : []
            }
            let sounds = [SourceID(participant, .microphone), SourceID(participant, .sound)]
            return Array(sounds.lazy.filter(isGiven).prefix(count))
        }
        let speaker = lastSpeaker.map { [$0] } ?? []
        if kind == .audio {
            let sounds = unique(speaker.map { SourceID($0, .microphone) } + ranking.speakers + stage.holders)
            return Array(sounds.lazy.filter { $0.participant != viewer && isGiven($0) }.prefix(count))
        }
        let seen = unique(speaker + ranking.participants + cameras.members).filter { cameras.contains($0) }
        return firstOthers(seen, than: viewer, count).map { SourceID($0, .camera) }
    }

    /// Whether the sound may be heard: not where a host has silenced it.
    private func isGiven(_ sound: SourceID) -> Bool { openSounds.contains(sound) || mutedSounds.contains(sound) }

    private func unique<Element: Hashable>(_ elements: [Element]) -> [Element] {
        var seen: Set<Element> = []
        return elements.filter { seen.insert($0).inserted }
    }

    /// The most pixels in height that `viewer` can show of the participant.
    ///
    /// - Parameter tiles: how many cameras the viewer has on its screen.
    func height(of participant: ParticipantID, for viewer: ParticipantID, _ kind: MediaKind, tiles: Int) -> UInt16 {
        switch kind {
        case .audio: 0
        case .screen: .max
        case .video where subjects[viewer] != nil: .max
        case .video: views[viewer]?.height(of: participant) ?? TileHeight.gallery(tiles: tiles)
        }
    }

    private func firstOthers(
        _ participants: some Collection<ParticipantID>, than viewer: ParticipantID, _ count: Int
    ) -> [ParticipantID] {
        Array(participants.lazy.filter { $0 != viewer }.prefix(count))
    }
}
