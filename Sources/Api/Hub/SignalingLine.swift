import Conference
import Meetings
import NIOCore

/// A participant's tie to the signaling. The hub owns it, and nobody else touches it.
final class SignalingLine {
    let id: ParticipantID
    /// The participant's place in the order of joining.
    let arrival: Int
    /// Brings a new socket to the same place.
    let resume: String
    /// Nil while the socket is lost.
    var socket: (any SignalingSocket)?
    /// The socket of one who waits to be let in: nothing but that is done over it.
    var door: (any SignalingSocket)?
    /// What limits by address count by; empty where it is not known.
    var address = ""
    /// What hosts have had happen to it, of a meeting at several PoPs.
    var orders = HostOrders()
    /// The breakout room that it is in.
    var room: BreakoutRoomID?
    /// What it hears of, in a webinar.
    var seat: Seats
    /// Of a participant that lives by its media instead of a socket.
    var resource: WHIPResource?
    /// What the participant's screen showed last.
    var view = MediaView()
    /// ICE and DTLS are done, and the media side has not ended them.
    var isConnected = false
    /// Nothing authentic has come of it for a while.
    var isSilent = false
    var hasMedia: Bool { isConnected && !isSilent }
    /// The client itself closed its media connection, and has offered none since.
    var hasClosedMedia = false
    /// Media could flow once; the time to it was counted.
    var hasConnected = false
    /// Counts the joins that a socket asked for; one that took its time is void when a later one came.
    var attempts = 0
    /// The others were told that it is here.
    var isSeen = false
    /// A socket was answered `joined` before.
    var wasWelcomed = false
    /// What the join says that it sends.
    var claim: MediaState?
    /// What hosts turned off while it was not listening, of a stream ever; and who asked it to unmute.
    var missedMutes: Set<HostOrder.Source> = []
    var missedAsk: ParticipantID?
    /// `joined` was sent: from here on it is told what happens.
    var isListening = false
    /// Counts the changes of its Slots that the media side told.
    var slotChanges = 0
    /// Slots changed before it was listening.
    var missedSlots = false
    /// Which of its layers are wanted was told while it may not have been listening.
    var missedLayers = false
    /// What its session with the media side publishes, for other PoPs.
    var publication: Publication?
    /// It comes from another PoP, and is the others' there until its media is here, or until then.
    var arrivingUntil: Timestamp?
    /// Of what it writes, and reads of what was written.
    var chat = TokenBucket(burst: MeetingHub.chatBurst)
    var history = TokenBucket(burst: MeetingHub.historyBurst)
    var reactions = TokenBucket(burst: MeetingHub.reactionBurst)
    var breakouts = TokenBucket(burst: MeetingHub.breakoutBurst)
    /// Of what it asks the panel of a webinar, and of what it answers.
    var questions = TokenBucket(burst: MeetingHub.questionBurst)
    var settlements = TokenBucket(burst: MeetingHub.settlementBurst)
    /// The turns of its last votes.
    var voteTurns: [PollID: UInt32] = [:]
    /// Of what it does with polls.
    var polls = TokenBucket(burst: MeetingHub.pollBurst)
    /// Of what it may not decide, how much is a line of the audit trail.
    var refusals = TokenBucket(burst: MeetingHub.refusalBurst)
    /// The participant as an entry of lists, JSON; empty when it changed since.
    var entry: [UInt8] = []
    /// The first event of its meeting that it was not sent.
    var position = 0
    /// What waits for it alone.
    var own: [Message] = []

    /// A message between the events of the meeting.
    struct Message {
        var frame: ByteBuffer
        /// Events below this number stand before it.
        var behind: Int
    }

    init(_ participant: Participant, resume: String) {
        id = participant.id
        arrival = participant.arrival
        seat = Seats(participant.role)
        self.resume = resume
    }
}
