import Wire

/// An `a=extmap` line (RFC 8285 section 5) of an extension that we use.
struct HeaderExtension {
    /// The attribute of a session or an m-line whose packets may have one-byte or two-byte headers each (RFC 8285 section 6).
    static let mixed = "extmap-allow-mixed"

    /// 1...14: what a one-byte element can name.
    var id: UInt8
    /// The direction after the id, which an answer must mirror.
    var direction: Direction?
    var kind: Kind

    /// By its URI.
    enum Kind: String {
        case mid = "urn:ietf:params:rtp-hdrext:sdes:mid"
        case rid = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
        case repairedRid = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
        case audioLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
        case absSendTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
        case transportSequence = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
        case videoOrientation = "urn:3gpp:video-orientation"
        case absCaptureTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
        case dependencyDescriptor =
            "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"

        /// Whether Slots have it: not what names a publisher's layers or tells its clock, which our sender reports do, nor the older way to time packets where the newer one
        /// is offered, nor what needs headers of both forms where they may not be mixed (`allowsMixed`).
        func isForSlots(among offered: [HeaderExtension], allowsMixed: Bool) -> Bool {
            switch self {
            case .mid, .audioLevel, .transportSequence, .videoOrientation: true
            case .absSendTime: !offered.contains { $0.kind == .transportSequence }
            case .dependencyDescriptor: allowsMixed
            case .rid, .repairedRid, .absCaptureTime: false
            }
        }

        /// Its place in the map.
        var place: WritableKeyPath<ExtensionMap, UInt8> {
            switch self {
            case .mid: \.mid
            case .rid: \.rid
            case .repairedRid: \.repairedRid
            case .audioLevel: \.audioLevel
            case .absSendTime: \.absSendTime
            case .transportSequence: \.transportSequence
            case .videoOrientation: \.videoOrientation
            case .absCaptureTime: \.absCaptureTime
            case .dependencyDescriptor: \.dependencyDescriptor
            }
        }
    }

    /// Nil when malformed, of another kind, or when the id needs two-byte elements.
    init?(_ value: String) {
        let fields = value.utf8.split(whereSeparator: \.isBlank)
        guard fields.count >= 2, let kind = Kind(rawValue: String(fields[1])) else { return nil }
        let name = fields[0].split(separator: UInt8(ascii: "/"), maxSplits: 1)
        guard let id = name.first.flatMap({ UInt8(Substring($0)) }), (1...14).contains(id) else { return nil }
        self.id = id
        self.kind = kind
        if name.count == 2 {
            guard let direction = Direction(rawValue: String(name[1])) else { return nil }
            self.direction = direction
        }
    }

    /// The value that answers it.
    var answer: String {
        let uri = kind.rawValue
        return switch direction {
        case nil: "\(id) \(uri)"
        case .sendonly: "\(id)/recvonly \(uri)"
        case .recvonly: "\(id)/sendonly \(uri)"
        case .sendrecv: "\(id)/sendrecv \(uri)"
        case .inactive: "\(id)/inactive \(uri)"
        }
    }
}
