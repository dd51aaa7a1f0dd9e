@testable import Api

/// A simulated participant: what it was told on its socket, what it does, and its transport.
final class PoPClient {
    /// A Slot as the client knows it.
    struct Tile {
        var source: String
        var occupant: String?
        /// Who was told to be in it before, and until when, ns.
        var former: [(occupant: String, until: UInt64)] = []
        /// Whose picture it is, by `slot_switched`.
        var picture: String?
        /// Who was seen or heard in it last, and when.
        var shown: (publisher: UInt8, time: UInt64)?
    }

    /// Somebody as the client was told.
    struct Person: Equatable {
        var audio: Bool
        var video: Bool
        var screen: Bool
    }

    let number: UInt8
    /// Of the meetings.
    let home: Int
    var offer: PoPOffer
    /// What it sends, by its own word; the node took it.
    var state = Person(audio: false, video: false, screen: false)
    /// The tiles that it asked for last; empty for everybody in turn.
    var view: [String] = []
    /// Speaks at this level, -dBov.
    var level: UInt8 = 127

    private(set) var id: String?
    private(set) var resume = ""
    private(set) var token = ""
    private(set) var socket: PoPSocket?
    private var session: SignalingSession?
    /// Of the socket that was there before.
    private var former: SignalingSession?
    private(set) var people: [String: Person] = [:]
    var tiles: [String: Tile] = [:]
    var transport: PoPTransport?
    /// The place is given up, or was never given.
    var isGone = false
    /// An offer of another transport is to be made.
    private(set) var needsOffer = false
    private(set) var errors: [String] = []
    /// It was without a socket since its transport began: a picture that changed then it was not told of.
    private(set) var wasDeaf = false
    /// When its latest socket was welcomed, ns.
    private(set) var listensSince: UInt64 = 0
    /// It sends of its videos only what it is told that somebody wants.
    var obeys = true
    /// Where it complains.
    var complain: (String) -> Void = { _ in }
    /// Makes the transport of an answer.
    var connect: (String) -> PoPTransport? = { _ in nil }
    /// Takes the answer to a restart; false when it is of another session.
    var restart: (PoPTransport, String) -> Bool = { _, _ in false }
    var now: () -> UInt64 = { 0 }
    /// Sees each message.
    var onMessage: (PoPMessage) -> Void = { _ in }

    init(number: UInt8, home: Int, offer: PoPOffer) {
        self.number = number
        self.home = home
        self.offer = offer
    }

    /// It is in the meeting and would hear of what happens.
    var isListening: Bool { socket != nil && id != nil && !isGone }

    /// Of the requests that restart ICE.
    static let restartID = 8
    /// Of a request whose answer does not arrive.
    static let lostID = 9

    // MARK: the socket

    func open(_ session: SignalingSession, _ socket: PoPSocket) {
        former = self.session
        self.session = session
        self.socket = socket
        errors = []
    }

    func say(_ text: String) async {
        guard var session else { return }
        await session.hear(text)
        self.session = session
        read()
        if let former {
            self.former = nil
            await former.end()
        }
        guard let socket, socket.isClosing else { return }
        // The participant is out, without a word of its own.
        isGone = id != nil
        await drop()
    }

    /// The connection is lost, or closed by us.
    func drop() async {
        guard let session else { return }
        self.session = nil
        socket = nil
        wasDeaf = true
        // Nobody could say that somebody looks.
        transport?.unwanted = []
        await session.end()
    }

    func forgive() { errors = [] }

    /// Reads what came.
    func read() {
        while let bytes = socket?.next() {
            do {
                let message = try PoPMessage(bytes)
                onMessage(message)
                take(message)
            } catch {
                complain("a message that no client understands: \(String(decoding: bytes, as: UTF8.self)): \(error)")
            }
        }
    }

    private func take(_ message: PoPMessage) {
        switch message.type {
        case "joined": takeJoined(message)
        case "answer":
            guard let sdp = message.sdp else { return complain("an answer without SDP") }
            if message.id == Self.lostID { return }
            if message.id == Self.restartID, let transport, restart(transport, sdp) { return }
            start(sdp)
        case "slots": for slot in message.slots ?? [] { take(slot) }
        case "slot_switched":
            guard let mid = message.mid else { return complain("slot_switched without a mid") }
            tiles[mid]?.picture = message.participantId
        case "slot_paused":
            if message.mid == nil { complain("slot_paused without a mid") }
        case "participant_joined":
            guard let person = message.participant else { return complain("nobody joined") }
            people[person.participantId] = Person(person)
        case "participant_left":
            if people.removeValue(forKey: message.participantId ?? "") == nil { complain("left, and was never there") }
        case "media_state":
            guard let id = message.participantId, let audio = message.audio, let video = message.video,
                let screen = message.screen, people[id] != nil
            else { return complain("media_state of nobody") }
            people[id] = Person(audio: audio, video: video, screen: screen)
        case "error": takeError(message.code ?? "")
        case "removed": socket = nil
        case "layers_wanted": takeWanted(message)
        case "ok", "participant_update", "active_speaker", "quality": break
        default: complain("an unexpected message: \(message.type)")
        }
    }

    private func takeWanted(_ message: PoPMessage) {
        guard let mid = message.mid, (message.rids == nil) != (message.wanted == nil) else {
            return complain("layers_wanted of nothing")
        }
        guard let transport, obeys else { return }
        let all = offer.videoSSRCs(of: mid)
        if let rids = message.rids {
            transport.want(all.filter { rids.contains($0.rid) }.map(\.ssrc), of: all.map(\.ssrc))
        } else {
            transport.want(message.wanted == true ? all.map(\.ssrc) : [], of: all.map(\.ssrc))
        }
    }

    private func takeJoined(_ message: PoPMessage) {
        id = message.you?.participantId
        resume = message.resume ?? ""
        token = message.sessionToken ?? ""
        people = [:]
        listensSince = now()
        for case .person(let person) in message.participants ?? [] { people[person.participantId] = Person(person) }
        guard let sdp = message.sdp else { return }
        start(sdp)
        for slot in message.slots ?? [] { take(slot) }
    }

    /// The old transport is given up with its Slots.
    private func start(_ sdp: String) {
        transport = connect(sdp)
        if transport == nil { complain("an answer that no client understands") }
        tiles = [:]
        wasDeaf = false
        needsOffer = false
    }

    private func take(_ slot: PoPMessage.Slot) {
        if let id = slot.participantId {
            if id == self.id { complain("it is told to be in its own Slot \(slot.mid)") }
            if people[id] == nil { complain("\(id) is in Slot \(slot.mid) and was never introduced") }
        }
        var tile = tiles[slot.mid] ?? Tile(source: slot.source)
        if let old = tile.occupant, old != slot.participantId { tile.former.append((old, now())) }
        tile.occupant = slot.participantId
        tiles[slot.mid] = tile
    }

    private func takeError(_ code: String) {
        errors.append(code)
        // The media side gave the old transport up, if there was one, before it said that there is no place.
        if ["media_failed", "full", "no_session"].contains(code) {
            transport = nil
            tiles = [:]
            needsOffer = true
        }
    }

    /// As a page does whose connection was closed, or heard nothing any more.
    func noticeLoss() {
        guard let transport, transport.isClosed || transport.isUnanswered else { return }
        self.transport = nil
        tiles = [:]
        needsOffer = true
    }
}

extension PoPClient.Person {
    init(_ person: PoPMessage.Person) {
        self.init(audio: person.audio, video: person.video, screen: person.screen)
    }
}
