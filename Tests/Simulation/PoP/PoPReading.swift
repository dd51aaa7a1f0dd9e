import Mailbox
import Meetings
import Wire

@testable import Conference

/// What the director holds, to be compared with the workers and with what clients were told.
struct PoPReading: Sendable {
    struct Slot: Sendable {
        var handle: SlotHandle
        var mid: String
        var kind: MediaKind
        var occupant: ParticipantID?
        /// What is mapped into it on its worker.
        var track: TrackHandle
        var origin: TrackHandle
    }

    struct Member: Sendable {
        var id: ParticipantID
        var meeting: MeetingID
        var session: SessionHandle
        var isConnected: Bool
        var tracks: [TrackHandle]
        var kinds: Set<MediaKind>
        var slots: [Slot]
    }

    struct Places: Sendable, Equatable {
        var sessions = 0
        var tracks = 0
        var slots = 0
    }

    struct Worker: Sendable {
        var used = Places()
        /// Told to close and not confirmed.
        var closing = Places()
        /// It has read every command.
        var isIdle = false
    }

    /// In the order of joining.
    var members: [Member] = []
    var workers: [Worker] = []
    /// Nothing is due.
    var isAtRest = false
    /// Viewers that wait for a place of a replica.
    var starved: Set<ParticipantID> = []
    /// Replicas that wait for being fed.
    var unfed = 0
}

extension MediaDirector {
    /// Workers that have read every command.
    var idleWorkers: [Bool] { workers.map(\.isIdle) }

    /// Marks the end of what was told so far, as the stream itself cannot say that it is empty; false when it is full.
    func endNews() -> Bool {
        if case .enqueued = news.reader.yield([]) { true } else { false }
    }

    func reading() -> PoPReading {
        var reading = PoPReading()
        reading.members = members.values.sorted { $0.serial < $1.serial }.map { member in
            PoPReading.Member(
                id: member.id, meeting: member.meeting, session: member.session,
                isConnected: agents[member.session]?.isConnected ?? false, tracks: member.tracks.values.map(\.handle),
                kinds: Set(member.tracks.keys.map(\.kind)),
                slots: member.slots.map { slot in
                    PoPReading.Slot(
                        handle: slot.handle, mid: slot.mid, kind: slot.kind, occupant: slot.occupant,
                        track: slot.origin.isNone ? .none : localHandle(of: slot.origin, on: member.worker) ?? .none,
                        origin: slot.origin)
                })
        }
        reading.workers = workers.map { worker in
            PoPReading.Worker(
                used: .init(sessions: worker.sessions.used, tracks: worker.tracks.used, slots: worker.slots.used),
                isIdle: worker.isIdle)
        }
        for (session, belongings) in closing.sessions {
            reading.workers[session.worker].closing.sessions += 1
            reading.workers[session.worker].closing.tracks += belongings.tracks.count
            reading.workers[session.worker].closing.slots += belongings.slots.count
        }
        for track in closing.tracks.keys { reading.workers[track.worker].closing.tracks += 1 }
        reading.isAtRest = queue.isEmpty && feeds.isEmpty && workers.allSatisfy(\.isIdle)
        reading.starved = starved
        reading.unfed = feeds.count
        return reading
    }

    /// Nothing is kept of anybody.
    var isForgotten: Bool {
        members.isEmpty && meetings.isEmpty && agents.isEmpty && connecting.isEmpty && publishers.isEmpty
            && replicas.count == 0 && feeds.isEmpty && closing.isEmpty && starved.isEmpty && sounding.isEmpty
            && trunks.isIdle
    }
}
