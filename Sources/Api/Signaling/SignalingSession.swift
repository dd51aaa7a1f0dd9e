import FoundationEssentials
import Logging
import Meetings

/// One socket's conversation: takes its messages one after the other, and answers each.
struct SignalingSession {
    /// Messages at once and per second; candidates come in bursts.
    private static let burst = 100
    private static let perSecond = 20.0

    private let socket: SignalingSocket
    private let hub: MeetingHub
    private let tokens: TokenAuthority
    private let clock: any ApiClock
    private let logger: Logger
    private var budget: TokenBucket
    private var participant: ParticipantID?

    init(socket: SignalingSocket, hub: MeetingHub, tokens: TokenAuthority, clock: any ApiClock, logger: Logger) {
        self.socket = socket
        self.hub = hub
        self.tokens = tokens
        self.clock = clock
        self.logger = logger
        budget = TokenBucket(burst: Self.burst, at: clock.now)
    }

    mutating func hear(_ text: String) async {
        let bytes = Array(text.utf8)
        let envelope: ClientMessage.Envelope
        do {
            if budget.take(burst: Self.burst, perSecond: Self.perSecond, at: clock.now) != nil {
                let id = try? JSON.decode(ClientMessage.Envelope.self, from: bytes).id
                return refuse(Problem(429, "too_many_requests", "Too many messages.", retryAfter: 1), id: id)
            }
            envelope = try JSON.decode(ClientMessage.Envelope.self, from: bytes)
        } catch {
            return refuse(Problem.malformed(JSON.complaint(error)), id: nil)
        }
        do {
            try await handle(envelope, bytes)
        } catch let error as DecodingError {
            refuse(Problem.malformed(JSON.complaint(error)), id: envelope.id)
        } catch {
            let problem = Problem(any: error)
            if problem.status.code == 500 {
                logger.error("signaling request failed", metadata: ["error": "\(type(of: error))"])
            }
            refuse(problem, id: envelope.id)
        }
    }

    /// The socket is gone, whoever ended it.
    func end() async {
        if let participant { await hub.detach(participant, socket) }
    }

    private mutating func handle(_ envelope: ClientMessage.Envelope, _ bytes: [UInt8]) async throws {
        switch envelope.type {
        case "ping": socket.send(ServerMessage.Pong(id: envelope.id))
        case "join": try await join(JSON.decode(ClientMessage.Join.self, from: bytes), id: envelope.id)
        case "offer":
            let offer = try JSON.decode(ClientMessage.Offer.self, from: bytes)
            try await hub.offer(me(), socket, sdp: offer.sdp, id: envelope.id)
        case "ice_candidate":
            _ = try JSON.decode(ClientMessage.ICECandidate.self, from: bytes)
            _ = try me()
            done(envelope.id)
        case "media_state":
            let change = try JSON.decode(ClientMessage.MediaStateChange.self, from: bytes)
            try await hub.setMedia(change, of: me(), socket)
            done(envelope.id)
        case "view":
            let view = try JSON.decode(ClientMessage.View.self, from: bytes)
            try await hub.setView(view, of: me(), socket)
            done(envelope.id)
        case "leave":
            try await hub.leave(me(), reason: .left, keepsSocket: true)
            participant = nil
            done(envelope.id)
            socket.close(.normalClosure, "left")
        default: throw Problem(400, "unknown_type", "There is no such message type.")
        }
    }

    private mutating func join(_ join: ClientMessage.Join, id: RequestID?) async throws {
        guard participant == nil else { throw Problem(409, "already_joined", "This socket has joined.") }
        let claim = try await tokens.participant(join.sessionToken)
        try await hub.attach(claim.id, in: claim.meeting, isFresh: claim.isFresh, resume: join.resume, socket, id: id)
        participant = claim.id
    }

    private func me() throws -> ParticipantID {
        guard let participant else { throw Problem(409, "not_joined", "Join first.") }
        return participant
    }

    private func done(_ id: RequestID?) {
        if let id { socket.send(ServerMessage.Done(id: id)) }
    }

    private func refuse(_ problem: Problem, id: RequestID?) {
        logger.debug("signaling request refused", metadata: ["code": "\(problem.code)"])
        socket.send(ServerMessage.Failure(problem, id: id))
    }
}
