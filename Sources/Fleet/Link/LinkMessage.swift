import Meetings

/// What PoPs say to each other over a link, hello left out. Bodies are opaque here.
public enum LinkMessage: Hashable, Sendable {
    /// The sender's clock, ns, which comes back in the pong.
    case ping(UInt64)
    case pong(UInt64)
    case goodbye(String)
    /// Meetings of which the sender is Home, and their epochs.
    case homes([MeetingClaim])
    /// Asks for a meeting's changes after those that the sender has.
    case subscribe(MeetingID, last: Revision?)
    case unsubscribe(MeetingID)
    /// The sender is not the meeting's Home; who is, as far as it knows.
    case notHome(MeetingID, Home?)
    /// The changes go on after this one: the state is not needed.
    case resumed(MeetingID, Revision)
    case state(MeetingID, Revision, RequestOrigins, body: [UInt8])
    case change(MeetingID, Revision, RequestOrigin, body: [UInt8])
    case acknowledge(MeetingID, Revision)
    /// A change that the sender's client wants; its origin is the sender.
    case request(MeetingID, epoch: UInt64, id: UInt64, body: [UInt8])
    /// The request is done as of this change.
    case done(MeetingID, id: UInt64, Revision)
    case refused(MeetingID, id: UInt64, reason: String)
    /// What the media sides of the two PoPs say to each other; opaque to links and to the exchange of meetings.
    case trunk([UInt8])
    /// The receiver is to be the standby of a meeting of which the sender is Home: to follow it though nobody there is in it,
    /// so that a copy is left when the sender is lost. Nil: it is needed no more.
    case standby(MeetingID, MeetingNumber?)
    /// The meeting, of which the receiver is Home or looks for one, was ended for all.
    case ended(MeetingID)
}

/// That a PoP is Home of a meeting, by its own word.
public struct MeetingClaim: Hashable, Sendable {
    public let meeting: MeetingID
    public let epoch: UInt64

    public init(_ meeting: MeetingID, epoch: UInt64) {
        self.meeting = meeting
        self.epoch = epoch
    }
}

extension LinkMessage {
    enum Kind: UInt8 {
        case hello = 1
        case ping, pong, goodbye, homes, subscribe, unsubscribe, notHome, resumed, state, change, acknowledge
        case request, done, refused, trunk, standby, ended
    }

    public var frame: LinkFrame {
        var writer = LinkWriter()
        let kind = write(to: &writer)
        return LinkFrame(type: kind.rawValue, body: writer.bytes)
    }

    private func write(to writer: inout LinkWriter) -> Kind {
        switch self {
        case .ping(let clock):
            writer.put(clock)
            return .ping
        case .pong(let clock):
            writer.put(clock)
            return .pong
        case .goodbye(let reason):
            writer.put(reason)
            return .goodbye
        case .homes(let claims):
            writer.put(UInt16(claims.count))
            for claim in claims {
                writer.put(claim.meeting.rawValue)
                writer.put(claim.epoch)
            }
            return .homes
        case .trunk(let body):
            writer.put(raw: body)
            return .trunk
        default: return writeOfMeeting(to: &writer)
        }
    }

    private func writeOfMeeting(to writer: inout LinkWriter) -> Kind {
        switch self {
        case .subscribe(let meeting, let last):
            writer.put(meeting.rawValue)
            writer.put(last?.epoch ?? 0)
            writer.put(last?.number ?? 0)
            return .subscribe
        case .unsubscribe(let meeting):
            writer.put(meeting.rawValue)
            return .unsubscribe
        case .notHome(let meeting, let home):
            writer.put(meeting.rawValue)
            writer.put(home)
            return .notHome
        case .resumed(let meeting, let revision):
            writer.put(meeting, revision)
            return .resumed
        case .state(let meeting, let revision, let origins, let body):
            writer.put(meeting, revision)
            origins.write(to: &writer)
            writer.put(raw: body)
            return .state
        case .change(let meeting, let revision, let origin, let body):
            writer.put(meeting, revision)
            writer.put(origin.pop.name.rawValue)
            writer.put(origin.pop.instance)
            writer.put(origin.id)
            writer.put(raw: body)
            return .change
        default: return writeOfRequest(to: &writer)
        }
    }

    private func writeOfRequest(to writer: inout LinkWriter) -> Kind {
        switch self {
        case .acknowledge(let meeting, let revision):
            writer.put(meeting, revision)
            return .acknowledge
        case .request(let meeting, let epoch, let id, let body):
            writer.put(meeting, Revision(epoch: epoch, number: id))
            writer.put(raw: body)
            return .request
        case .done(let meeting, let id, let revision):
            writer.put(meeting, revision)
            writer.put(id)
            return .done
        case .refused(let meeting, let id, let reason):
            writer.put(meeting.rawValue)
            writer.put(id)
            writer.put(reason)
            return .refused
        case .standby(let meeting, let number):
            writer.put(meeting.rawValue)
            writer.put(number?.value ?? 0)
            return .standby
        case .ended(let meeting):
            writer.put(meeting.rawValue)
            return .ended
        default: preconditionFailure("written before")
        }
    }

    /// Nil for a type that this version does not know. What a newer version adds behind the fields is passed over.
    public init?(_ frame: LinkFrame) throws(LinkFailure) {
        guard let kind = Kind(rawValue: frame.type) else { return nil }
        var reader = LinkReader(frame.body)
        switch kind {
        case .hello: throw .malformed("a second hello")
        case .ping: self = .ping(try reader.integer())
        case .pong: self = .pong(try reader.integer())
        case .goodbye: self = .goodbye(try reader.text())
        case .homes: self = .homes(try Self.claims(&reader))
        case .subscribe: self = try Self.subscription(&reader)
        case .unsubscribe: self = .unsubscribe(try reader.meeting())
        case .notHome: self = .notHome(try reader.meeting(), try reader.home())
        case .resumed: self = .resumed(try reader.meeting(), try reader.revision())
        case .state:
            let (meeting, revision) = (try reader.meeting(), try reader.revision())
            self = .state(meeting, revision, try RequestOrigins(&reader), body: reader.rest())
        case .change:
            let (meeting, revision) = (try reader.meeting(), try reader.revision())
            self = .change(meeting, revision, try reader.origin(), body: reader.rest())
        case .acknowledge: self = .acknowledge(try reader.meeting(), try reader.revision())
        case .request:
            let (meeting, epoch) = (try reader.meeting(), try reader.epoch())
            self = .request(meeting, epoch: epoch, id: try reader.id(), body: reader.rest())
        case .done:
            let (meeting, revision) = (try reader.meeting(), try reader.revision())
            self = .done(meeting, id: try reader.id(), revision)
        case .refused: self = .refused(try reader.meeting(), id: try reader.id(), reason: try reader.text())
        case .trunk:
            guard frame.body.count <= LinkPolicy.trunkLimit else { throw .malformed("a long message of a Trunk") }
            self = .trunk(frame.body)
        case .standby: self = .standby(try reader.meeting(), try reader.meetingNumber())
        case .ended: self = .ended(try reader.meeting())
        }
    }

    private static func claims(_ reader: inout LinkReader) throws(LinkFailure) -> [MeetingClaim] {
        var claims: [MeetingClaim] = []
        for _ in 0..<(try reader.integer(UInt16.self)) {
            claims.append(MeetingClaim(try reader.meeting(), epoch: try reader.epoch()))
        }
        return claims
    }

    private static func subscription(_ reader: inout LinkReader) throws(LinkFailure) -> LinkMessage {
        let meeting = try reader.meeting()
        let epoch = try reader.integer(UInt64.self)
        let number = try reader.number()
        if epoch == 0 { return .subscribe(meeting, last: nil) }
        guard Home.epochs.contains(epoch) else { throw .malformed("epoch \(epoch)") }
        return .subscribe(meeting, last: Revision(epoch: epoch, number: number))
    }
}

extension LinkWriter {
    fileprivate mutating func put(_ meeting: MeetingID, _ revision: Revision) {
        put(meeting.rawValue)
        put(revision.epoch)
        put(revision.number)
    }
}

extension LinkReader {
    mutating func number() throws(LinkFailure) -> UInt64 {
        let number = try integer(UInt64.self)
        guard number <= Revision.mostNumber else { throw .malformed("number \(number)") }
        return number
    }

    /// Nil for 0.
    mutating func meetingNumber() throws(LinkFailure) -> MeetingNumber? {
        let value = try integer(UInt32.self)
        guard value > 0 else { return nil }
        guard let number = MeetingNumber(String(value)) else { throw .malformed("no meeting's number") }
        return number
    }

    mutating func id() throws(LinkFailure) -> UInt64 {
        let id = try number()
        guard id > 0 else { throw .malformed("request 0") }
        return id
    }

    mutating func revision() throws(LinkFailure) -> Revision {
        Revision(epoch: try epoch(), number: try number())
    }

    mutating func origin() throws(LinkFailure) -> RequestOrigin {
        let name = try pop()
        return RequestOrigin(pop: PoPInstance(name: name, instance: try integer()), id: try id())
    }
}
