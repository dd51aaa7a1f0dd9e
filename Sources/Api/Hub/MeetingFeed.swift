import Meetings
import NIOCore

/// What happens in one meeting, on its way to everybody in it: each event is encoded once, and what comes within
/// `MeetingHub.gatherTime` reaches a socket in one write.
///
/// Owned by the hub, as the lines are.
final class MeetingFeed {
    private struct Event {
        var frame: ByteBuffer
        /// Knows it already, for it was its own doing.
        var exception: ParticipantID?
    }

    /// Whom the others see, in the order of joining.
    private(set) var lines: [SignalingLine] = []
    private var events: [Event] = []
    /// The number of the first of `events`.
    private var base = 0
    /// When events were sent last.
    var lastFlush: Timestamp?
    /// A flush will come.
    var isScheduled = false

    /// Nothing waits to be sent.
    var isIdle: Bool { events.isEmpty }

    func add(_ line: SignalingLine) {
        var place = lines.endIndex
        while place > 0, lines[place - 1].arrival > line.arrival { place -= 1 }
        lines.insert(line, at: place)
    }

    func remove(_ line: SignalingLine) { lines.removeAll { $0 === line } }

    /// It was told all that happened so far.
    func beginListening(_ line: SignalingLine) {
        line.isListening = true
        line.position = base + events.count
    }

    func append(_ frame: ByteBuffer, but exception: ParticipantID?) {
        events.append(Event(frame: frame, exception: exception))
    }

    /// What waits for the line and then `frame`, in one buffer: a message of its own does not overtake the events that it
    /// may build on.
    func pending(for line: SignalingLine, then frame: ByteBuffer) -> ByteBuffer {
        guard line.position < base + events.count else { return frame }
        var frames = joined(from: line.position, for: line.id)
        frames.writeImmutableBuffer(frame)
        line.position = base + events.count
        return frames
    }

    /// Sends each line what waits for it.
    func flush(into batch: inout SignalingBatch) {
        let end = base + events.count
        let exceptions = Set(events.lazy.compactMap(\.exception))
        var shared: [Int: ByteBuffer] = [:]
        for line in lines where line.isListening && line.position < end {
            defer { line.position = end }
            guard let socket = line.socket, !socket.isClosing else { continue }
            var frames: ByteBuffer
            if exceptions.contains(line.id) {
                frames = joined(from: line.position, for: line.id)
            } else if let known = shared[line.position] {
                frames = known
            } else {
                frames = joined(from: line.position, for: line.id)
                shared[line.position] = frames
            }
            if frames.readableBytes > 0 { batch.add(frames, to: socket) }
        }
        base = end
        events.removeAll(keepingCapacity: true)
    }

    private func joined(from position: Int, for id: ParticipantID) -> ByteBuffer {
        let waiting = events[max(0, position - base)...].filter { $0.exception != id }
        guard waiting.count != 1 else { return waiting.first?.frame ?? ByteBuffer() }
        var frames = ByteBuffer()
        frames.reserveCapacity(waiting.reduce(0) { $0 + $1.frame.readableBytes })
        for event in waiting { frames.writeImmutableBuffer(event.frame) }
        return frames
    }
}
