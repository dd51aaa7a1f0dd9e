import Meetings

/// An offer of a client that either publishes or plays. What it offers beyond that is not taken up: an answer may narrow
/// a direction (RFC 3264 section 6.1).
struct OneWayOffer: Sendable {
    /// The offer without the other way of its m-lines.
    private(set) var text: String
    /// What it may publish, by its own word.
    let publishes: MediaState

    init(_ sdp: String, for stream: StreamProtocol) {
        // By bytes, as CR LF is one character of a String.
        var lines = sdp.utf8.split(separator: 0x0a, omittingEmptySubsequences: false).map { line in
            String(Substring(line.last == 0x0d ? line.dropLast() : line))
        }
        let firstMedia = lines.firstIndex { $0.hasPrefix("m=") } ?? lines.endIndex
        var sectionHasDirection = true
        var allHaveDirection = true
        var sessionHasDirection = false
        for index in lines.indices {
            if lines[index].hasPrefix("m=") {
                allHaveDirection = allHaveDirection && sectionHasDirection
                sectionHasDirection = false
            }
            guard let narrowed = Self.narrowedDirection(lines[index], for: stream) else { continue }
            lines[index] = narrowed
            sectionHasDirection = true
            if index < firstMedia { sessionHasDirection = true }
        }
        // An m-line that says nothing offers both ways (RFC 8866 section 6.7).
        if !(allHaveDirection && sectionHasDirection) && !sessionHasDirection {
            lines.insert(stream == .whip ? "a=sendonly" : "a=recvonly", at: firstMedia)
        }
        text = lines.joined(separator: "\r\n")
        func offers(_ kind: String) -> Bool { stream == .whip && lines.contains { $0.hasPrefix("m=\(kind) ") } }
        publishes = MediaState(audio: offers("audio"), video: offers("video"))
    }

    /// The same offer by a client that begins ICE anew: all that a fragment says is its credentials.
    func restarted(ufrag: String, password: String) -> OneWayOffer {
        var offer = self
        offer.text = text.split(separator: "\r\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix("a=ice-ufrag:")
                ? "a=ice-ufrag:\(ufrag)" : line.hasPrefix("a=ice-pwd:") ? "a=ice-pwd:\(password)" : String(line)
        }.joined(separator: "\r\n")
        return offer
    }

    /// Nil for a line that says no direction.
    private static func narrowedDirection(_ line: String, for stream: StreamProtocol) -> String? {
        guard line.hasPrefix("a=") else { return nil }
        let wanted = stream == .whip ? "sendonly" : "recvonly"
        return switch line.dropFirst(2).prefix(while: { $0 != " " }) {
        case "sendrecv", Substring(wanted): "a=\(wanted)"
        case "sendonly", "recvonly", "inactive": "a=inactive"
        default: nil
        }
    }
}
