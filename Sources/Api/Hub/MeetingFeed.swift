import Meetings
import NIOCore

/// What happens in one meeting, on its way to everybody in it: each event is encoded once, and what comes within
/// `MeetingHub.gatherTime` reaches a socket in one write.
///
/// Owned by the hub, as the lines are.
final class MeetingFeed {
    /// Whom an event is for.
    enum Audience {
        case everybody
        /// The one who knows it already, for it was its own doing.
        case everybodyBut(ParticipantID)
        /// Those in a breakout room; nil: those in none.
        case room(BreakoutRoomID?)
        /// Those in these seats, but one.
        case seats(Seats, but: ParticipantID?)

        /// Who does not hear of it, though it is for others like it.
        var exception: ParticipantID? {
            switch self {
            case .everybodyBut(let id): id
            case .seats(_, let id): id
            case .everybody, .room: nil
            }
        }
    }

    private struct Event {
        var frame: ByteBuffer
        var audience: Audience

        func isFor(_ line: SignalingLine) -> Bool {
            switch audience {
            case .everybody: true
            case .everybodyBut(let exception): exception != line.id
            case .room(let room): room == line.room
            case .seats(let seats, let exception): seats.contains(line.seat) && exception != line.id
            }
        }
    }

    /// Lines that are told the same: those at one place of the events, in one room and in like seats where that matters.
    private struct Group: Hashable {
        var position: Int
        var room: BreakoutRoomID?
        var seat: Seats?
    }

    /// Whom the others see, in the order of joining.
    private(set) var lines: [SignalingLine] = []
    private var events: [Event] = []
    /// The number of the first of `events`.
    private var base = 0
    /// When something was sent last.
    var lastFlush: Timestamp?
    /// Of what all its participants write, and of what they show.
    var chat = TokenBucket(burst: MeetingHub.meetingChatBurst)
    var reactions = TokenBucket(burst: MeetingHub.meetingReactionBurst)
    /// Of the rooms that people without host controls choose.
    var choices = TokenBucket(burst: MeetingHub.meetingChoiceBurst)
    /// Of the questions that people ask.
    var questions = TokenBucket(burst: MeetingHub.meetingQuestionBurst)
    /// How many watch, as everybody was told.
    var attendees = 0
    /// What was told of the meeting's polls.
    var polls = PollNotices()
    /// When the next flush is to come.
    var nextFlush: Timestamp?

    /// Bytes that were gathered since the last flush.
    private(set) var gathered = 0

    private var end: Int { base + events.count }

    /// Something waits that is for one room.
    var hasRoomEvents: Bool {
        events.contains { if case .room = $0.audience { true } else { false } }
    }

    /// Something waits that is for some seats.
    var hasSeatEvents: Bool {
        events.contains { if case .seats = $0.audience { true } else { false } }
    }

    /// Nothing waits to be sent.
    var isIdle: Bool { events.isEmpty && lines.allSatisfy(\.own.isEmpty) }

    func add(_ line: SignalingLine) {
        var place = lines.endIndex
        while place > 0, lines[place - 1].arrival > line.arrival { place -= 1 }
        lines.insert(line, at: place)
    }

    func remove(_ line: SignalingLine) { lines.removeAll { $0 === line } }

    /// It was told all that happened so far.
    func beginListening(_ line: SignalingLine) {
        line.isListening = true
        line.position = end
        line.own = []
    }

    /// Adds an event.
    func append(_ frame: ByteBuffer, for audience: Audience) {
        gathered += frame.readableBytes
        events.append(Event(frame: frame, audience: audience))
    }

    /// Adds a message for one, which does not overtake the events that it may build on.
    func append(_ frame: ByteBuffer, for line: SignalingLine) {
        gathered += frame.readableBytes
        line.own.append(SignalingLine.Message(frame: frame, behind: end))
    }

    /// Sends each line what waits for it.
    func flush(into batch: inout SignalingBatch) {
        let exceptions = Set(events.lazy.compactMap(\.audience.exception))
        let (hasRooms, hasSeats) = (hasRoomEvents, hasSeatEvents)
        var shared: [Group: ByteBuffer] = [:]
        for line in lines where line.isListening && (line.position < end || !line.own.isEmpty) {
            defer {
                line.position = end
                line.own.removeAll(keepingCapacity: true)
            }
            guard let socket = line.socket, !socket.isClosing else { continue }
            var frames: ByteBuffer
            let group = Group(
                position: line.position, room: hasRooms ? line.room : nil, seat: hasSeats ? line.seat : nil)
            if !line.own.isEmpty || exceptions.contains(line.id) {
                frames = waiting(for: line)
            } else if let known = shared[group] {
                frames = known
            } else {
                frames = waiting(for: line)
                shared[group] = frames
            }
            if frames.readableBytes > 0 { batch.add(frames, to: socket) }
        }
        base = end
        gathered = 0
        events.removeAll(keepingCapacity: true)
    }

    /// What waits for the line, to be sent at once.
    func takeWaiting(for line: SignalingLine) -> ByteBuffer {
        defer {
            line.position = end
            line.own = []
        }
        return waiting(for: line)
    }

    /// Events and messages of its own, in the order in which they came.
    private func waiting(for line: SignalingLine) -> ByteBuffer {
        var parts: [ByteBuffer] = []
        var position = line.position
        func addEvents(until limit: Int) {
            while position < limit {
                let event = events[position - base]
                if event.isFor(line) { parts.append(event.frame) }
                position += 1
            }
        }
        for message in line.own {
            addEvents(until: message.behind)
            parts.append(message.frame)
        }
        addEvents(until: end)
        if parts.count == 1 { return parts[0] }
        var frames = ByteBuffer()
        frames.reserveCapacity(parts.reduce(0) { $0 + $1.readableBytes })
        for part in parts { frames.writeImmutableBuffer(part) }
        return frames
    }
}
