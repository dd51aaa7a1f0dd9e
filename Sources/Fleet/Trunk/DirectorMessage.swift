import Meetings

/// What the directors of two PoPs tell each other of the Trunk between them.
///
/// A Lane is opened, owned and closed by the PoP that takes Tracks over it; Lanes and Tracks go by that PoP's names for them,
/// which are SSRCs. In each case below "ours" is the sender's.
public enum DirectorMessage: Hashable, Sendable {
    /// The first on a link.
    case hello(DirectorHello)
    /// Our open Lanes, and the Tracks that we are carried: you end all others of ours.
    case holds(lanes: [UInt32], tracks: [UInt32])
    case openLane(LaneRequest)
    /// Your Lane is open here.
    case laneOpened(lane: UInt32, LaneOffer)
    /// Your Lane is not, or no longer, open here.
    case laneRefused(lane: UInt32, CarryRefusal)
    case closeLane(UInt32)
    case carry(CarryRequest)
    /// Your Track gets its packets.
    case carried(UInt32)
    /// Your Track gets none, or none any more.
    case refused(track: UInt32, CarryRefusal)
    case release(UInt32)
    /// We can open what is sealed with this; seal with it from now on. `isOurs`: the Lane is the sender's.
    case changeKey(lane: UInt32, isOurs: Bool, LaneSecret)
    /// We seal with the key of this phase.
    case keyChanged(lane: UInt32, isOurs: Bool, phase: UInt8)
    /// How loud people of ours are; the loudest only.
    case levels(MeetingID, [SoundLevel])
}

public struct DirectorHello: Hashable, Sendable {
    public enum Occasion: UInt8, Sendable {
        /// The link opened here: yours may have been said too early.
        case opening
        case answer
        /// Something that was to be told was lost.
        case loss
    }

    public var occasion: Occasion
    /// Which start of its director: another one knows of no Lane.
    public var instance: UInt64
    /// How many workers it has.
    public var workers: UInt8

    public init(_ occasion: Occasion, instance: UInt64, workers: UInt8) {
        self.occasion = occasion
        self.instance = instance
        self.workers = workers
    }
}

/// A master key and salt of AEAD_AES_128_GCM (RFC 7714 section 12), and the key's phase.
public struct LaneSecret: Hashable, Sendable {
    public static let keyLength = 16
    public static let saltLength = 12

    public var key: [UInt8]
    public var salt: [UInt8]
    /// 0 or 1.
    public var phase: UInt8

    /// Nil for other lengths and phases.
    public init?(key: [UInt8], salt: [UInt8], phase: UInt8) {
        guard key.count == Self.keyLength, salt.count == Self.saltLength, phase <= 1 else { return nil }
        self.key = key
        self.salt = salt
        self.phase = phase
    }
}

/// Asks for the far end of a Lane.
public struct LaneRequest: Hashable, Sendable {
    /// Our name for it.
    public var lane: UInt32
    /// Of yours, that which has what we want.
    public var worker: UInt8
    /// Which address of each of us it goes between: the most preferred of IPv6, or of IPv4.
    public var isV6: Bool
    /// What you seal with.
    public var secret: LaneSecret

    public init(lane: UInt32, worker: UInt8, isV6: Bool, secret: LaneSecret) {
        self.lane = lane
        self.worker = worker
        self.isV6 = isV6
        self.secret = secret
    }
}

/// The far end of a Lane.
public struct LaneOffer: Hashable, Sendable {
    /// Our name for your Lane.
    public var name: UInt32
    /// What you seal with.
    public var secret: LaneSecret

    public init(name: UInt32, secret: LaneSecret) {
        self.name = name
        self.secret = secret
    }
}

/// Asks for a source's packets.
public struct CarryRequest: Hashable, Sendable {
    /// Our Lane, and our Track by the name of its Layer 0.
    public var lane: UInt32
    public var track: UInt32
    public var meeting: MeetingID
    public var participant: ParticipantID
    /// Which of the participant's, 0...3.
    public var role: UInt8
    /// The publication that our Track was made for.
    public var publication: UInt64

    public init(
        lane: UInt32, track: UInt32, meeting: MeetingID, participant: ParticipantID, role: UInt8, publication: UInt64
    ) {
        self.lane = lane
        self.track = track
        self.meeting = meeting
        self.participant = participant
        self.role = role
        self.publication = publication
    }
}

/// Why something is not carried.
public enum CarryRefusal: Hashable, Sendable {
    /// Nobody publishes it here, or it ended.
    case gone
    /// There is no place for it now.
    case full
    /// It is on this worker of ours.
    case elsewhere(worker: UInt8)
}

/// How loud a source is.
public struct SoundLevel: Hashable, Sendable {
    public var participant: ParticipantID
    /// 0...3.
    public var role: UInt8
    /// -dBov, 0...127.
    public var level: UInt8

    /// In one message.
    public static let limit = 10

    public init(participant: ParticipantID, role: UInt8, level: UInt8) {
        self.participant = participant
        self.role = role
        self.level = level
    }
}
