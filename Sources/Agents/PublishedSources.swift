import Wire

/// What a participant can publish: two sounds (a microphone, and that of a tab), a camera and a screen. What is more is
/// not forwarded to anybody, and so not accepted.
struct PublishedSources {
    private static let sounds = 2

    /// Some m-line says that it is a screen.
    private var namesScreen = false
    private var served: [MediaKind: Int] = [:]

    /// Looks at an m-line, all of them before the first is served.
    mutating func expect(_ answer: MediaAnswer) {
        if answer.sends == .screen { namesScreen = true }
    }

    /// Decides what the m-line's source is. A second video is the screen where the offer does not name one.
    mutating func serve(_ answer: inout MediaAnswer) {
        guard let kind = answer.sends else { return }
        var candidates = [kind]
        if kind == .video, !namesScreen { candidates.append(.screen) }
        let place = candidates.first { served[$0, default: 0] < Self.limit(of: $0) }
        if let place { served[place, default: 0] += 1 }
        answer.serve(as: place, otherwise: Self.refusal(of: kind))
    }

    private static func limit(of kind: MediaKind) -> Int { kind == .audio ? sounds : 1 }

    private static func refusal(of kind: MediaKind) -> String {
        kind == .audio
            ? "two audio sources of a participant are served" : "one camera and one screen of a participant are served"
    }
}
