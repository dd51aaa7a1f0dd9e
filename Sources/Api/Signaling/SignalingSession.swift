import FoundationEssentials
import Logging
import Meetings

/// One socket's conversation: takes its messages one after the other, and answers each.
struct SignalingSession {
    /// Messages at once and per second; candidates come in bursts.
    private static let burst = 100
    private static let perSecond = 20.0
    /// Messages beyond that, refused, before the socket is closed.
    private static let patience = 100
    private static let patiencePerSecond = 1.0

    private let socket: any SignalingSocket
    /// What the limit of joins counts by.
    private let address: String
    private let hub: MeetingHub
    private let tokens: TokenAuthority
    private let limiter: AddressLimiter?
    private let limits: Limits
    private let clock: any ApiClock
    private let logger: Logger
    private var budget: TokenBucket
    private var refusals: TokenBucket
    private var participant: ParticipantID?
    /// Who waits to be let in.
    private var guest: ParticipantID?

    init(
        socket: any SignalingSocket, address: String, hub: MeetingHub, tokens: TokenAuthority,
        limiter: AddressLimiter?, limits: Limits, clock: any ApiClock, logger: Logger
    ) {
        self.socket = socket
        self.address = address
        self.hub = hub
        self.tokens = tokens
        self.limiter = limiter
        self.limits = limits
        self.clock = clock
        self.logger = logger
        budget = TokenBucket(burst: Self.burst, at: clock.now)
        refusals = TokenBucket(burst: Self.patience, at: clock.now)
    }

    mutating func hear(_ text: String) async {
        let bytes = Array(text.utf8)
        let envelope: ClientMessage.Envelope
        do {
            if budget.take(burst: Self.burst, perSecond: Self.perSecond, at: clock.now) != nil {
                return refuseFlood(bytes)
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
        if let id = participant ?? guest { await hub.detach(id, socket) }
    }

    private mutating func handle(_ envelope: ClientMessage.Envelope, _ bytes: [UInt8]) async throws {
        switch envelope.type {
        case "ping": socket.send(ServerMessage.Pong(id: envelope.id))
        case "join": try await join(JSON.decode(ClientMessage.Join.self, from: bytes), id: envelope.id)
        case "offer":
            let offer = try JSON.decode(ClientMessage.Offer.self, from: bytes)
            try await hub.offer(me(), socket, sdp: offer.sdp, id: envelope.id)
        case "ice_restart":
            let offer = try JSON.decode(ClientMessage.Offer.self, from: bytes)
            try await hub.restartICE(me(), socket, sdp: offer.sdp, id: envelope.id)
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
            if let guest {
                await hub.withdraw(guest, over: socket)
            } else {
                try await hub.leave(me(), reason: .left, keepsSocket: true)
            }
            participant = nil
            guest = nil
            done(envelope.id)
            socket.close(.normalClosure, "left")
        default: try await talk(envelope, bytes)
        }
    }

    /// What people say to each other.
    private func talk(_ envelope: ClientMessage.Envelope, _ bytes: [UInt8]) async throws {
        switch envelope.type {
        case "reaction":
            let reaction = try JSON.decode(ClientMessage.Reaction.self, from: bytes)
            try await hub.react(with: reaction.text, by: me(), socket)
            done(envelope.id)
        case "chat":
            try await hub.say(JSON.decode(ChatDraftJSON.self, from: bytes).draft, by: me(), socket)
            done(envelope.id)
        case "chat_edit":
            let edit = try JSON.decode(ClientMessage.ChatEdit.self, from: bytes)
            try await hub.edit(ChatMessageID(named: edit.chatID), to: edit.text, by: me(), socket)
            done(envelope.id)
        case "chat_delete":
            let deletion = try JSON.decode(ClientMessage.ChatDeletion.self, from: bytes)
            try await hub.delete(ChatMessageID(named: deletion.chatID), by: me(), socket)
            done(envelope.id)
        case "poll_vote":
            let vote = try JSON.decode(ClientMessage.PollVote.self, from: bytes)
            try await hub.vote(vote.options, in: vote.id, by: me(), socket)
            done(envelope.id)
        case "qa_ask":
            let asking = try JSON.decode(ClientMessage.Asking.self, from: bytes)
            try await hub.ask(asking.text, anonymously: asking.anonymous ?? false, by: me(), socket)
            done(envelope.id)
        case "qa_answer":
            let answering = try JSON.decode(ClientMessage.Answering.self, from: bytes)
            try await hub.settle(
                answering.id, answering.state ?? .answered, answer: answering.text, by: me(), socket)
            done(envelope.id)
        default: try await order(envelope, bytes)
        }
    }

    /// What hosts alone say.
    private func order(_ envelope: ClientMessage.Envelope, _ bytes: [UInt8]) async throws {
        switch envelope.type {
        case "remove_participant":
            let target = try JSON.decode(ClientMessage.Target.self, from: bytes)
            try await order(.remove(target.id), envelope.id)
        case "mute_participant":
            let target = try JSON.decode(ClientMessage.Target.self, from: bytes)
            try await order(.mute(target.id, target.source ?? .audio), envelope.id)
        case "mute_all": try await order(.muteAll, envelope.id)
        case "ask_unmute":
            let target = try JSON.decode(ClientMessage.Target.self, from: bytes)
            try await order(.askUnmute(target.id, by: me()), envelope.id)
        case "set_role":
            let target = try JSON.decode(ClientMessage.Target.self, from: bytes)
            guard let role = target.role else { throw Problem.malformed("set_role has a role.") }
            try await order(.setRole(target.id, role), envelope.id)
        case "promote":
            let id = try JSON.decode(ClientMessage.Target.self, from: bytes).id
            try await hub.seat(id, as: .panelist, by: me(), socket, from: address)
            done(envelope.id)
        case "demote":
            let id = try JSON.decode(ClientMessage.Target.self, from: bytes).id
            try await hub.seat(id, as: .attendee, by: me(), socket, from: address)
            done(envelope.id)
        case "allow":
            let rights = try JSON.decode(ClientMessage.Rights.self, from: bytes)
            try await hub.allow(rights, by: me(), socket, from: address)
            done(envelope.id)
        case "admit":
            let id = try JSON.decode(ClientMessage.Admission.self, from: bytes).id
            try await hub.admit(id, by: me(), socket, from: address)
            done(envelope.id)
        case "deny":
            let id = try JSON.decode(ClientMessage.Target.self, from: bytes).id
            try await hub.deny(id, by: me(), socket, from: address)
            done(envelope.id)
        case "lock": try await lock(true, envelope.id)
        case "unlock": try await lock(false, envelope.id)
        case "end":
            try await hub.end(by: me(), socket, from: address, id: envelope.id)
        default: try await gather(envelope, bytes)
        }
    }

    /// What is said of breakout rooms, and what hosts say of polls.
    private func gather(_ envelope: ClientMessage.Envelope, _ bytes: [UInt8]) async throws {
        switch envelope.type {
        case "breakout_create":
            let creation = try JSON.decode(ClientMessage.BreakoutCreation.self, from: bytes)
            try await hub.openBreakouts(creation.draft, by: me(), socket, from: address)
            done(envelope.id)
        case "breakout_assign":
            let moves = try JSON.decode(ClientMessage.BreakoutAssignment.self, from: bytes).checked()
            try await hub.move(moves, by: me(), socket, from: address)
            done(envelope.id)
        case "breakout_choose":
            let room = try JSON.decode(ClientMessage.BreakoutChoice.self, from: bytes).room
            try await hub.choose(room, by: me(), socket)
            done(envelope.id)
        case "breakout_broadcast":
            let words = try JSON.decode(ClientMessage.BreakoutBroadcast.self, from: bytes)
            try await hub.broadcast(words.text, voice: words.voice, by: me(), socket, from: address)
            done(envelope.id)
        case "breakout_close":
            let closing = try JSON.decode(ClientMessage.BreakoutClosing.self, from: bytes)
            try await hub.closeBreakouts(after: closing.after ?? 0, by: me(), socket, from: address)
            done(envelope.id)
        case "poll_create":
            let draft = try JSON.decode(PollDraftJSON.self, from: bytes).draft
            try await hub.createPoll(draft, by: me(), socket, from: address)
            done(envelope.id)
        case "poll_close":
            let poll = try JSON.decode(ClientMessage.PollReference.self, from: bytes)
            try await hub.closePoll(poll.id, by: me(), socket, from: address)
            done(envelope.id)
        case "poll_delete":
            let poll = try JSON.decode(ClientMessage.PollReference.self, from: bytes)
            try await hub.deletePoll(poll.id, by: me(), socket, from: address)
            done(envelope.id)
        default: throw Problem(400, "unknown_type", "There is no such message type.")
        }
    }

    private func order(_ order: HostOrder, _ id: RequestID?) async throws {
        try await hub.order(order, by: me(), socket, from: address)
        done(id)
    }

    private func lock(_ isLocked: Bool, _ id: RequestID?) async throws {
        try await hub.setLocked(isLocked, by: me(), socket, from: address)
        done(id)
    }

    private mutating func join(_ join: ClientMessage.Join, id: RequestID?) async throws {
        guard participant == nil else { throw Problem(409, "already_joined", "This socket has joined.") }
        guard let token = join.sessionToken else { return try await enter(join, id: id) }
        let claim: (id: ParticipantID, meeting: MeetingID, isFresh: Bool)
        do {
            claim = try tokens.participant(token)
        } catch let problem as Problem where problem.code == "token_invalid" && join.resume != nil {
            // It may be of another PoP.
            return try await comeBack(join, token, id: id)
        }
        if await hub.mustTakeBack(claim.id), join.resume != nil { return try await comeBack(join, token, id: id) }
        try await attach(
            claim.id, in: claim.meeting,
            SocketJoin(join, address: address, token: token, isFresh: claim.isFresh, request: id))
    }

    /// Becomes the participant's socket, or that of one who waits.
    private mutating func attach(_ id: ParticipantID, in meeting: MeetingID, _ join: SocketJoin) async throws {
        let isIn = try await hub.attach(id, in: meeting, join, socket)
        // One socket is one person.
        if let guest, guest != id { await hub.withdraw(guest, over: socket) }
        participant = isIn ? id : nil
        guest = isIn ? nil : id
    }

    /// Comes back to a place that another PoP gave. That PoP alone can check its session token, so it is the resume token that
    /// counts.
    private mutating func comeBack(_ join: ClientMessage.Join, _ token: String, id: RequestID?) async throws {
        try limiter?.admit(address, at: clock.now)
        guard let resume = join.resume, let (known, meeting) = TokenAuthority.unverified(token) else {
            throw Problem.unauthorized("token_invalid", "The session token is not valid.")
        }
        let back = try await hub.takeBack(known, in: meeting, resume: resume, Arrival(way: .socket, address: address))
        let fresh = try tokens.issue(back, in: meeting, expires: clock.now + limits.connectTime)
        try await attach(
            known, in: meeting, SocketJoin(join, address: address, token: fresh, isFresh: true, request: id))
    }

    /// Joins as somebody new, without a call of REST before it.
    private mutating func enter(_ join: ClientMessage.Join, id: RequestID?) async throws {
        guard let reference = join.meeting, let name = join.displayName else {
            throw Problem.malformed("A join has a session_token, or meeting and display_name.")
        }
        try limiter?.admit(address, at: clock.now)
        let via = try Elsewhere.via(join.via ?? [])
        let meeting = try await hub.find(reference, via: via)
        let request = JoinRequest(displayName: name, password: join.password, hostKey: join.hostKey)
        let newcomer = try await hub.admit(meeting.id, request, Arrival(way: .socket, address: address, via: via))
        do {
            let token = try tokens.issue(newcomer, in: meeting.id, expires: clock.now + limits.connectTime)
            try await attach(
                newcomer.id, in: meeting.id,
                SocketJoin(join, address: address, token: token, isFresh: true, request: id))
        } catch {
            await hub.withdraw(newcomer.id)
            throw error
        }
    }

    private func me() throws -> ParticipantID {
        guard let participant else { throw Problem(409, "not_joined", "Join first.") }
        return participant
    }

    private func done(_ id: RequestID?) {
        if let id { socket.send(ServerMessage.Done(id: id)) }
    }

    /// Who goes on and on costs more than the refusals: the socket is closed.
    private mutating func refuseFlood(_ bytes: [UInt8]) {
        guard refusals.take(burst: Self.patience, perSecond: Self.patiencePerSecond, at: clock.now) == nil else {
            return socket.closeFlood("too many messages")
        }
        let id = try? JSON.decode(ClientMessage.Envelope.self, from: bytes).id
        refuse(Problem(429, "too_many_requests", "Too many messages.", retryAfter: 1), id: id)
    }

    private func refuse(_ problem: Problem, id: RequestID?) {
        logger.debug("signaling request refused", metadata: ["code": "\(problem.code)"])
        socket.send(ServerMessage.Failure(problem, id: id))
    }
}

extension SocketJoin {
    fileprivate init(
        _ join: ClientMessage.Join, address: String, token: String, isFresh: Bool, request: RequestID?
    ) {
        self.init(
            resume: join.resume, offer: join.offer, mediaState: join.mediaState, view: join.view, address: address,
            token: token, isFresh: isFresh, request: request)
    }
}
