import Meetings
import Wire

/// The media side of a meeting: who gives what, in which order, and whose Slots that touches.
///
/// Every change answers the viewers to look at again, and none whose screen stays as it is: a join into a
/// large meeting costs those who have a free Slot, not everybody.
struct MediaMeeting {
    private(set) var members = Roster()
    /// Those with a camera that is on, in the order of joining.
    private(set) var cameras = Roster()
    /// Those who share a screen, in the order of beginning.
    private(set) var screens = Roster()
    private var openMicrophones = Roster()
    private var mutedMicrophones = Roster()
    private(set) var stage = AudioStage(audioSlots: 3)
    private(set) var ranking = SpeakerRanking()

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
            touched.formUnion(members.participants)
        }
        if setMicrophone(participant, serial: serial, sources.microphone) { touched.formUnion(members.participants) }
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

    /// - Returns: whether the stage changed.
    private mutating func setMicrophone(
        _ participant: ParticipantID, serial: UInt64, _ microphone: MediaSources.Microphone
    ) -> Bool {
        if microphone == .open {
            openMicrophones.insert(participant, serial: serial)
        } else {
            openMicrophones.remove(participant)
            ranking.remove(participant)
        }
        if microphone == .muted {
            mutedMicrophones.insert(participant, serial: serial)
        } else {
            mutedMicrophones.remove(participant)
        }
        let changed = stage.settle(unmuted: openMicrophones, muted: mutedMicrophones)
        if changed { revisions[Int(MediaKind.audio.rawValue)] += 1 }
        return changed
    }

    // MARK: who speaks

    /// Takes a level (-dBov) of the participant's microphone; one that is said to be muted is not heard.
    mutating func note(_ participant: ParticipantID, level: UInt8) {
        if openMicrophones.contains(participant) { ranking.note(participant, level: level) }
    }

    /// Orders the speakers anew; every `SpeakerRanking.period`.
    mutating func tick() -> (touched: Set<ParticipantID>, speakersChanged: Bool) {
        let speakersChanged = ranking.tick()
        let stageChanged = stage.challenge(by: ranking, muted: mutedMicrophones)
        if stageChanged { revisions[Int(MediaKind.audio.rawValue)] += 1 }
        var touched = stageChanged ? Set(members.participants) : []
        if let speaker = ranking.speakers.first, speaker != lastSpeaker {
            lastSpeaker = speaker
            touched.formUnion(touchSubjects())
        }
        return (touched, speakersChanged)
    }

    // MARK: whom a viewer should have

    /// While it stays the same, so does what a viewer wants of this kind, unless its view changes.
    func revision(of kind: MediaKind) -> Int { revisions[Int(kind.rawValue)] }

    /// A member with its Tracks came or went.
    private mutating func touchAll() { for kind in 0..<3 { revisions[kind] += 1 } }

    /// - Returns: the members whose subject may have changed.
    private mutating func touchSubjects() -> Set<ParticipantID> {
        guard !subjects.isEmpty else { return [] }
        touchAll()
        return Set(subjects.keys)
    }

    /// The participants for `count` Slots of a kind, the most important first.
    func wanted(_ kind: MediaKind, for viewer: ParticipantID, count: Int) -> [ParticipantID] {
        if let subject = subjects[viewer] { return wanted(kind, of: subject, for: viewer, count) }
        return switch kind {
        case .audio: firstOthers(stage.holders, than: viewer, count)
        case .screen: firstOthers(screens.participants, than: viewer, count)
        case .video:
            if let tiles = views[viewer]?.tiles {
                Array(tiles.lazy.filter { cameras.contains($0) }.prefix(count))
            } else {
                firstOthers(cameras.participants, than: viewer, count)
            }
        }
    }

    private func wanted(
        _ kind: MediaKind, of subject: MediaView.Subject, for viewer: ParticipantID, _ count: Int
    ) -> [ParticipantID] {
        if kind == .screen { return firstOthers(screens.participants, than: viewer, count) }
        if case .participant(let participant) = subject {
            return (kind == .audio ? members : cameras).contains(participant) ? [participant] : []
        }
        let speakers = (lastSpeaker.map { [$0] } ?? []) + ranking.speakers
        return kind == .audio
            ? firstOthers(unique(speakers + stage.holders), than: viewer, count)
            : firstOthers(unique(speakers + cameras.participants).lazy.filter(cameras.contains), than: viewer, count)
    }

    private func unique(_ participants: [ParticipantID]) -> [ParticipantID] {
        var seen: Set<ParticipantID> = []
        return participants.filter { seen.insert($0).inserted }
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
