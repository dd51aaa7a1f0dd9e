import Meetings

/// A host's order between PoPs.
struct SharedHostOrder: Codable, Equatable {
    enum Kind: String, Codable {
        case remove, mute, role
        case muteAll = "mute_all"
        case askUnmute = "ask_unmute"
    }

    var kind: Kind
    var target: ParticipantID?
    /// Of `mute`.
    var source: HostOrder.Source?
    /// Of `ask_unmute`.
    var by: ParticipantID?
    var role: Role?

    init(_ order: HostOrder) {
        target = order.target
        switch order {
        case .remove: kind = .remove
        case .mute(_, let source):
            kind = .mute
            self.source = source
        case .muteAll: kind = .muteAll
        case .askUnmute(_, let by):
            kind = .askUnmute
            self.by = by
        case .setRole(_, let role):
            kind = .role
            self.role = role
        }
    }

    /// Nil for what no PoP would say.
    var order: HostOrder? {
        switch kind {
        case .remove: target.map { .remove($0) }
        case .mute: target.flatMap { target in source.map { .mute(target, $0) } }
        case .muteAll: .muteAll
        case .askUnmute: target.flatMap { target in by.map { .askUnmute(target, by: $0) } }
        case .role: target.flatMap { target in role.map { .setRole(target, $0) } }
        }
    }
}

/// What hosts have had happen to a participant: its PoP does what is new. They count up, and so come once.
struct HostOrders: Codable, Hashable, Sendable {
    /// Another than it came in with.
    var role: Role?
    private var audio: UInt32?
    private var video: UInt32?
    private var screen: UInt32?
    private(set) var asks: UInt32?
    private(set) var askedBy: ParticipantID?
    /// It was asked, and has not been muted since.
    private(set) var isAsked: Bool?

    /// How often it was muted.
    func mutes(_ source: HostOrder.Source) -> UInt32 {
        switch source {
        case .audio: audio ?? 0
        case .video: video ?? 0
        case .screen: screen ?? 0
        }
    }

    mutating func mute(_ source: HostOrder.Source) {
        let count = mutes(source) &+ 1
        switch source {
        case .audio:
            audio = count
            isAsked = nil
        case .video: video = count
        case .screen: screen = count
        }
    }

    mutating func ask(by host: ParticipantID) {
        asks = (asks ?? 0) &+ 1
        askedBy = host
        isAsked = true
    }

    /// It may not speak any more.
    mutating func forgetAsk() { isAsked = nil }

    /// What is to be done of them where `before` was.
    func news(since before: HostOrders, for id: ParticipantID, with role: Role) -> [HostOrder] {
        var news: [HostOrder] = []
        if let given = self.role, given != role { news.append(.setRole(id, given)) }
        for source in HostOrder.Source.allCases where mutes(source) > before.mutes(source) {
            news.append(.mute(id, source))
        }
        if asks ?? 0 > before.asks ?? 0, let askedBy { news.append(.askUnmute(id, by: askedBy)) }
        return news
    }
}
