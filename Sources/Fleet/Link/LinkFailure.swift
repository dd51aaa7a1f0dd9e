/// Why a link ended, or never began.
public enum LinkFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What came keeps to no version of the protocol.
    case malformed(String)
    /// No version that both speak.
    case version(ours: ClosedRange<Int>, theirs: ClosedRange<Int>)
    case otherFleet(String)
    /// The peer is not who was dialled, or who its certificate names.
    case otherName(PoPName)
    /// The peer has this PoP's own name.
    case ownName
    /// Another process of the same name is linked.
    case secondInstance
    /// Both dialled, and the other connection stays.
    case duplicate
    case silent
    /// The peer asks for more than it may.
    case flood
    /// No more connections are taken.
    case full
    /// The peer said goodbye.
    case parted(String)
    /// The transport ended.
    case lost
    /// No connection could be made.
    case unreachable(String)
    /// The two did not prove to each other who they are.
    case tls(String)
    /// The peer takes nothing of what it is sent.
    case stalled
    case stopping

    public var description: String {
        switch self {
        case .malformed(let what): "malformed: \(what)"
        case .version(let ours, let theirs):
            "no common version: ours \(ours.lowerBound) to \(ours.upperBound), "
                + "theirs \(theirs.lowerBound) to \(theirs.upperBound)"
        case .otherFleet(let name): "another fleet: \(name)"
        case .otherName(let name): "another PoP than expected: \(name)"
        case .ownName: "it has this PoP's name"
        case .secondInstance: "another process of this name is linked"
        case .duplicate: "the other of two connections stays"
        case .silent: "silent"
        case .flood: "too many messages"
        case .full: "too many connections"
        case .parted(let reason): "the peer parted: \(reason)"
        case .lost: "the connection was lost"
        case .unreachable(let reason): "not reached: \(reason)"
        case .tls(let reason): "TLS: \(reason)"
        case .stalled: "it takes nothing of what it is sent"
        case .stopping: "stopping"
        }
    }

    /// In one word, for counters.
    public var kind: String {
        switch self {
        case .malformed: "malformed"
        case .version: "version"
        case .otherFleet: "other_fleet"
        case .otherName: "other_name"
        case .ownName: "own_name"
        case .secondInstance: "second_instance"
        case .duplicate: "duplicate"
        case .silent: "silent"
        case .flood: "flood"
        case .full: "full"
        case .parted: "parted"
        case .lost: "lost"
        case .unreachable: "unreachable"
        case .tls: "tls"
        case .stalled: "stalled"
        case .stopping: "stopping"
        }
    }

    /// All that `kind` can be.
    public static let kinds = [
        "malformed", "version", "other_fleet", "other_name", "own_name", "second_instance", "duplicate", "silent",
        "flood", "full", "parted", "lost", "unreachable", "tls", "stalled", "stopping",
    ]

    /// Whether only an operator can mend it.
    var isLasting: Bool {
        switch self {
        case .version, .otherFleet, .otherName, .ownName, .tls: true
        default: false
        }
    }
}
