import Agents
import Foundation
import Logging
import Recording

/// Captures a meeting: hears by the signaling who is there, and plays each of them by WHEP into the recording.
actor Recorder {
    /// By what right it is in the meeting; the bearer of its players too.
    struct Right: Sendable {
        /// `token`, `host_key` or `password`.
        var field: String
        var secret: String
    }

    /// What is played: a participant's sound and camera, or its screen.
    private struct Subject: Hashable {
        var participant: String
        var isScreen: Bool
    }

    private struct Player {
        var subject: Subject
        /// The session's address; nil until the server has answered.
        var location: String?
        let began = ContinuousClock.now
    }

    /// A session that lasted so long was no failure.
    private static let lasting = Duration.seconds(30)
    /// Between attempts, s: the first and the longest.
    private static let patience = (first: 1.0, longest: 10.0)

    private let server: RecordServer
    private let meeting: String
    private let right: Right
    private let name: String
    private let logger: Logger
    private var loop: RecordLoop?
    private var people: [String: MeetingNews.Person] = [:]
    /// Those that are in the log.
    private var logged: Set<String> = []
    private var players: [Int: Player] = [:]
    private var playerCount = 0
    private var failures: [Subject: Int] = [:]
    private var isEnding = false
    private var wasIn = false
    private var speakers: [String] = []

    init(_ server: RecordServer, meeting: String, right: Right, name: String, logger: Logger) {
        self.server = server
        self.meeting = meeting
        self.right = right
        self.name = name
        self.logger = logger
    }

    private var bearer: String { right.secret }

    /// Captures until the meeting ends, or the task is cancelled.
    ///
    /// - Parameter make: makes the recording.
    /// - Throws: why it cannot begin.
    func run(make: @escaping @Sendable (UInt64) throws -> MeetingRecording) async throws {
        let loop = try RecordLoop(make: make) { [weak self] number, reason in
            Task { await self?.noteLoss(number, reason) }
        }
        self.loop = loop
        defer { loop.end() }
        var attempt = 0
        while !isEnding, !Task.isCancelled {
            do {
                try await listen()
                attempt = 0
            } catch let failure as RecordServer.Failure {
                // What is refused at first will be refused again.
                if !wasIn, (400..<500).contains(failure.status), failure.status != 429 { throw failure }
                if wasIn, failure.status == 404 { break }
                logger.warning("no signaling", metadata: ["reason": "\(failure)"])
            } catch {
                logger.warning("no signaling", metadata: ["reason": "\(error)"])
            }
            if isEnding || Task.isCancelled { break }
            log(.connectionLost, nil) { $0.reason = "the signaling socket" }
            attempt += 1
            try? await Task.sleep(for: .seconds(Self.delay(attempt)))
        }
        await leave()
    }

    private static func delay(_ attempt: Int) -> Double {
        min(patience.first * Double(1 << min(attempt - 1, 8)), patience.longest)
    }

    // MARK: Signaling

    /// Joins, and hears what happens until the socket is lost.
    private func listen() async throws {
        var body = ["display_name": name]
        if right.field != "token" { body[right.field] = right.secret }
        let answer = try await server.call(
            .POST, "/api/v1/meetings/\(meeting)/join", token: right.field == "token" ? right.secret : nil,
            body: String(decoding: try JSONEncoder().encode(body), as: UTF8.self))
        guard answer.status == 200 else { throw RecordServer.complaint(answer) }
        struct Joined: Decodable { var sessionToken: String }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let joined = try decoder.decode(Joined.self, from: Data(answer.body.utf8))
        let socket = try await SignalSocket.open(server)
        let first = try JSONEncoder().encode(["type": "join", "session_token": joined.sessionToken])
        try await socket.run(first: first) { text in
            if let news = MeetingNews(text) { await self.take(news) }
        }
    }

    private func take(_ news: MeetingNews) async {
        switch news {
        case .joined(let here):
            if !wasIn { logger.notice("recording", metadata: ["meeting": "\(meeting)"]) }
            wasIn = true
            let names = Set(here.map(\.participantID))
            for gone in people.keys where !names.contains(gone) { await depart(gone) }
            for person in here { await note(person) }
        case .came(let person): await note(person)
        case .left(let id): await depart(id)
        case .media(let id, let audio, let video, let screen):
            guard var person = people[id] else { return }
            (person.audio, person.video, person.screen) = (audio, video, screen)
            await note(person)
        case .speakers(let ids):
            guard ids != speakers else { return }
            speakers = ids
            log(.speakers, nil) { $0.participantIDs = ids }
        case .chat(let message):
            log(.chat, message.senderID) { event in
                (event.chatID, event.displayName, event.text) = (message.chatID, message.senderName, message.text)
                event.deleted = message.deleted == true ? true : nil
            }
        case .meetingEnded, .removed:
            isEnding = true
        case .refused(let code, let message):
            logger.warning("the server refused", metadata: ["code": "\(code)", "message": "\(message)"])
        }
    }

    private func note(_ person: MeetingNews.Person) async {
        let id = person.participantID
        let before = people.updateValue(person, forKey: id)
        // Our own players are participants that give nothing, and are nobody's business.
        let isOurs = person.displayName == name && !person.audio && !person.video && !person.screen
        if !isOurs, logged.insert(id).inserted {
            log(.joined, id) { event in
                event.displayName = person.displayName
                event.role = person.role
            }
            logMedia(person)
        } else if logged.contains(id), before.map({ Self.media($0) != Self.media(person) }) ?? false {
            logMedia(person)
        }
        await settle(Subject(participant: id, isScreen: false))
        await settle(Subject(participant: id, isScreen: true))
    }

    private static func media(_ person: MeetingNews.Person) -> [Bool] { [person.audio, person.video, person.screen] }

    private func logMedia(_ person: MeetingNews.Person) {
        log(.mediaState, person.participantID) { event in
            (event.audio, event.video, event.screen) = (person.audio, person.video, person.screen)
        }
    }

    private func depart(_ id: String) async {
        people[id] = nil
        await settle(Subject(participant: id, isScreen: false))
        await settle(Subject(participant: id, isScreen: true))
        loop?.perform { state, now in state.recording.endSources(of: id, now: now) }
        if logged.remove(id) != nil { log(.left, id) { _ in } }
    }

    // MARK: Players

    /// Whether it is to be played: who gave something once is played until it leaves, a screen while it is shared.
    private func wants(_ subject: Subject) -> Bool {
        guard let person = people[subject.participant], !isEnding else { return false }
        if subject.isScreen { return person.screen }
        return person.audio || person.video || players.values.contains { $0.subject == subject }
    }

    private func settle(_ subject: Subject) async {
        let current = players.first { $0.value.subject == subject }
        if wants(subject), current == nil {
            open(subject)
        } else if !wants(subject), let (number, player) = current {
            players[number] = nil
            await close(number, player)
        }
    }

    private func open(_ subject: Subject) {
        playerCount += 1
        let number = playerCount
        players[number] = Player(subject: subject)
        Task { await connect(number, subject) }
    }

    private func connect(_ number: Int, _ subject: Subject) async {
        guard let loop else { return }
        var generator = SystemRandomNumberGenerator()
        let ufrag = String(ICECredentials.makePassword(using: &generator).prefix(8))
        let password = ICECredentials.makePassword(using: &generator)
        let offer = PlayerOffer(
            ufrag: ufrag, password: password, fingerprint: loop.fingerprint,
            identifier: UInt32.random(in: 1...UInt32.max), hasSound: !subject.isScreen)
        do {
            let source = subject.isScreen ? "source=screen" : "participant=\(subject.participant)"
            let name = name.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "Recording"
            let answer = try await server.call(
                .POST, "/whep/\(meeting)?\(source)&name=\(name)", token: bearer, type: "application/sdp",
                body: offer.text)
            guard answer.status == 201 else { throw RecordServer.complaint(answer) }
            let location = answer.headers.first(name: "Location")
            guard players[number] != nil else {
                if let location { _ = try? await server.call(.DELETE, location, token: bearer) }
                return
            }
            players[number]?.location = location
            let description = try PlayerAnswer(answer.body)
            let socket = try PlayerSocketBox(to: description.candidates)
            loop.perform { state, now in
                let session = PlayerSession(ufrag: ufrag, description, certificate: state.certificate, now: now)
                let player = RecordPlayer(
                    participant: subject.participant, isScreen: subject.isScreen, session: session,
                    socket: socket.take(), recording: state.recording, ssrc: UInt32(number), now: now)
                state.add(player, as: number)
            }
        } catch {
            await noteLoss(number, "\(error)")
        }
    }

    /// A session is over, or could not be had: it is tried again while its participant is there.
    private func noteLoss(_ number: Int, _ reason: String) async {
        guard let player = players.removeValue(forKey: number) else { return }
        await close(number, player)
        let subject = player.subject
        let lasted = ContinuousClock.now - player.began >= Self.lasting
        let attempt = lasted ? 1 : (failures[subject] ?? 0) + 1
        failures[subject] = attempt
        // The server ends the players of one who leaves before it says so.
        try? await Task.sleep(for: .seconds(Self.delay(attempt)))
        guard let person = people[subject.participant], !isEnding else { return }
        log(.connectionLost, subject.participant) { $0.reason = reason }
        logger.warning(
            "a session was lost", metadata: ["participant": "\(subject.participant)", "reason": "\(reason)"])
        let isWanted = subject.isScreen ? person.screen : true
        if isWanted, !players.values.contains(where: { $0.subject == subject }) { open(subject) }
    }

    private func close(_ number: Int, _ player: Player) async {
        loop?.perform { state, _ in state.remove(number) }
        guard let location = player.location else { return }
        _ = try? await server.call(.DELETE, location, token: bearer)
    }

    private func leave() async {
        isEnding = true
        let open = players
        players = [:]
        await withTaskGroup(of: Void.self) { group in
            for (number, player) in open { group.addTask { await self.close(number, player) } }
        }
    }

    private func log(_ kind: RecordingEvent.Kind, _ id: String?, _ body: (inout RecordingEvent) -> Void) {
        var event = RecordingEvent(kind, participantID: id)
        body(&event)
        loop?.perform { [event] state, now in state.recording.log(event, now: now) }
    }
}
