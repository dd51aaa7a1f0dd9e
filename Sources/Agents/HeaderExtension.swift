import Wire

/// An `a=extmap` line (RFC 8285 section 5).
struct HeaderExtension {
    /// 1...14: what a one-byte element can name.
    var id: UInt8
    /// The direction after the id, which an answer must mirror.
    var direction: Direction?
    var uri: String

    /// Nil when malformed, or when the id needs two-byte elements.
    init?(_ value: String) {
        let fields = value.split(separator: " ")
        guard fields.count >= 2 else { return nil }
        let name = fields[0].split(separator: "/", maxSplits: 1)
        guard let id = name.first.flatMap({ UInt8($0) }), (1...14).contains(id) else { return nil }
        self.id = id
        if name.count == 2 {
            guard let direction = Direction(rawValue: String(name[1])) else { return nil }
            self.direction = direction
        }
        uri = String(fields[1])
    }

    /// The value that answers it.
    var answer: String {
        switch direction {
        case nil: "\(id) \(uri)"
        case .sendonly: "\(id)/recvonly \(uri)"
        case .recvonly: "\(id)/sendonly \(uri)"
        case .sendrecv: "\(id)/sendrecv \(uri)"
        case .inactive: "\(id)/inactive \(uri)"
        }
    }

    /// Its place in the map; nil for one that we do not use.
    var place: WritableKeyPath<ExtensionMap, UInt8>? {
        switch uri {
        case "urn:ietf:params:rtp-hdrext:sdes:mid": \.mid
        case "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id": \.rid
        case "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id": \.repairedRid
        case "urn:ietf:params:rtp-hdrext:ssrc-audio-level": \.audioLevel
        case "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time": \.absSendTime
        case "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01": \.transportSequence
        case "urn:3gpp:video-orientation": \.videoOrientation
        case "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension":
            \.dependencyDescriptor
        default: nil
        }
    }
}
