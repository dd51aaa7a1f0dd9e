import Agents
import Wire

/// The checks of a controlling agent toward an ICE-lite one, on one pair (RFC 8445 section 7.2), which renew consent too (RFC
/// 7675). Sans I/O.
struct ConnectivityCheck {
    /// Until the first answer, and after it, ns.
    static let firstInterval: UInt64 = 100_000_000
    static let consentInterval: UInt64 = 4_000_000_000
    /// Without an answer for so long there is no consent (RFC 7675 section 5.1), ns.
    static let consentPatience: UInt64 = 30_000_000_000

    private let username: String
    private let key: [UInt8]
    private let tieBreaker: UInt64
    private var generator = SystemRandomNumberGenerator()
    private var pending: [(id: STUNTransactionID, sentAt: UInt64)] = []
    private var nextAt: UInt64
    private var answeredAt: UInt64?
    private let beganAt: UInt64
    /// ns; 0 before the first answer.
    private(set) var roundTrip: UInt64 = 0

    var isAnswered: Bool { answeredAt != nil }

    init(local ufrag: String, _ answer: PlayerAnswer, now: UInt64) {
        username = "\(answer.ufrag):\(ufrag)"
        key = Array(answer.password.utf8)
        tieBreaker = generator.next()
        nextAt = now
        beganAt = now
    }

    /// The peer has been silent for too long.
    func isLost(now: UInt64) -> Bool { now &- (answeredAt ?? beganAt) > Self.consentPatience }

    /// The request that is due; nil when none is.
    mutating func request(now: UInt64) -> [UInt8]? {
        guard now >= nextAt else { return nil }
        nextAt = now + (isAnswered ? Self.consentInterval : Self.firstInterval)
        let id = STUNTransactionID(
            high: UInt32(truncatingIfNeeded: generator.next() as UInt64), low: generator.next())
        pending = pending.suffix(15) + [(id, now)]
        var room = [UInt8](repeating: 0, count: 256)
        let count = room.withUnsafeMutableBytes { memory -> Int in
            guard
                var writer = STUNWriter(
                    into: memory, class: .request, method: STUNMethod.binding, transactionID: id)
            else { return 0 }
            username.utf8CString.withUnsafeBytes { name in
                writer.add(STUNAttributeType.username, UnsafeRawBufferPointer(rebasing: name.dropLast()))
            }
            // Of a host candidate (RFC 8445 section 5.1.2), as a peer-reflexive one.
            writer.add(STUNAttributeType.priority, 110 << 24 | 65_535 << 8 | 255 as UInt32)
            writer.add(STUNAttributeType.iceControlling, tieBreaker)
            writer.addFlag(STUNAttributeType.useCandidate)
            if let covered = writer.beginIntegrity() {
                let tag = Self.tag(covered, key: key)
                tag.withUnsafeBytes { writer.endIntegrity($0.baseAddress!) }
            }
            writer.addFingerprint()
            return writer.finish()
        }
        return Array(room.prefix(count))
    }

    /// Takes the server's answer; one that is not authentic, or to no question of ours, is none.
    mutating func take(_ datagram: UnsafeRawBufferPointer, now: UInt64) {
        guard let message = STUNMessage(datagram), message.messageClass == .success,
            let asked = pending.first(where: { $0.id == message.transactionID }),
            let covered = message.integrityOffset, let tag = message.attribute(STUNAttributeType.messageIntegrity),
            Hash.isEqual(Self.tag(Self.lengthened(datagram, to: covered), key: key), Array(tag.value))
        else { return }
        roundTrip = roundTrip == 0 ? now - asked.sentAt : (roundTrip * 7 + now - asked.sentAt) / 8
        answeredAt = now
        pending.removeAll { $0.sentAt <= asked.sentAt }
    }

    /// The bytes before the attribute, with the length in the header as if the message ended with it (RFC 8489 section 14.5).
    private static func lengthened(_ message: UnsafeRawBufferPointer, to covered: Int) -> [UInt8] {
        var bytes = Array(message.prefix(covered))
        let length = covered + 24 - STUNMessage.headerLength
        bytes[2] = UInt8(truncatingIfNeeded: length >> 8)
        bytes[3] = UInt8(truncatingIfNeeded: length)
        return bytes
    }

    private static func tag(_ bytes: some Collection<UInt8>, key: [UInt8]) -> [UInt8] {
        Array(bytes).withUnsafeBytes { Hash.hmac($0, key: key, .sha1) }
    }
}
