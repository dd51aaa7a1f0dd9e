import Agents

/// What a client reads out of the answer to its offer.
struct PoPAnswer {
    /// A Slot as the answer names it.
    struct Slot: Equatable {
        var mid: String
        var ssrc: UInt32
        var rtxSsrc: UInt32?
    }

    var ufrag = ""
    var password = ""
    var fingerprint: Fingerprint?
    /// Those m-lines in which the server sends.
    var slots: [Slot] = []

    init(_ sdp: String) {
        var mid = ""
        for line in sdp.split(separator: "\r\n") {
            guard let separator = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: separator)...]
            switch line[..<separator] {
            case "a=ice-ufrag": ufrag = String(value)
            case "a=ice-pwd": password = String(value)
            case "a=fingerprint": fingerprint = Fingerprint(value)
            case "a=mid": mid = String(value)
            case "a=ssrc-group":
                let words = value.split(separator: " ").compactMap { UInt32($0) }
                slots.append(Slot(mid: mid, ssrc: words[0], rtxSsrc: words[1]))
            case "a=ssrc":
                guard slots.last?.mid != mid, let ssrc = value.split(separator: " ").first.flatMap({ UInt32($0) })
                else { continue }
                slots.append(Slot(mid: mid, ssrc: ssrc, rtxSsrc: nil))
            default: break
            }
        }
    }
}
