import Meetings

/// Who speaks in a meeting, the loudest first, steady enough to look at.
///
/// Fed with the workers' levels; ordered at a slow tick, so that its size and cost follow the number of
/// people who make a sound and not the number in the meeting.
struct SpeakerRanking {
    /// Nanoseconds between two orders: at most 5 changes a second.
    static let period: UInt64 = 200_000_000

    /// Loudness is 127 - level: 127 is full scale, 0 silence; one step is one dB (RFC 6464 section 3).
    private enum Limit {
        /// Where speech begins (-60 dBov), and where it ends: two figures, or a breath would flicker.
        static let speaks = 67.0
        static let falls = 50.0
        /// How much louder one must be to overtake, dB.
        static let margin = 6.0
        /// Share of the step to the new loudness taken at a tick; falling is slow (2 s), for the pauses
        /// between words.
        static let rise = 0.5
        static let fall = 0.1
        /// A worker tells a level 5 times a second while there is sound: silent when none came for this
        /// many ticks.
        static let patience = 5
        /// Below this a voice is forgotten.
        static let forgotten = 10.0
    }

    private struct Voice {
        var heard: Double
        var smoothed: Double
        /// Ticks since the last level.
        var age = 0
    }

    private var voices: [SourceID: Voice] = [:]
    /// What sounds like speech, in order.
    private(set) var speakers: [SourceID] = []

    /// Whose they are, each once.
    var participants: [ParticipantID] {
        var told: Set<ParticipantID> = []
        return speakers.map(\.participant).filter { told.insert($0).inserted }
    }

    /// Nobody made a sound lately: there is nothing to tick.
    var isQuiet: Bool { voices.isEmpty && speakers.isEmpty }

    /// Smoothed loudness, 0 for silence.
    func loudness(of source: SourceID) -> Double { voices[source]?.smoothed ?? 0 }

    /// Whether the first is so much louder that it should take the other's place.
    func isClearlyLouder(_ challenger: SourceID, than holder: SourceID) -> Bool {
        loudness(of: challenger) > loudness(of: holder) + Limit.margin
    }

    /// - Parameter level: -dBov, 0 (loudest) to 127 (silence).
    mutating func note(_ source: SourceID, level: UInt8) {
        let heard = Double(127 - min(level, 127))
        if voices[source] == nil {
            guard heard > 0 else { return }
            voices[source] = Voice(heard: heard, smoothed: 0)
        } else {
            voices[source]?.heard = heard
            voices[source]?.age = 0
        }
    }

    /// One that is gone, or muted.
    mutating func remove(_ source: SourceID) {
        voices[source] = nil
        speakers.removeAll { $0 == source }
    }

    /// Moves every voice toward what was heard and orders the speakers anew; every `period`.
    ///
    /// - Returns: whether `speakers` changed.
    mutating func tick() -> Bool {
        for (source, voice) in voices {
            let voice = Self.aged(voice)
            voices[source] = voice.heard == 0 && voice.smoothed < Limit.forgotten ? nil : voice
        }
        let before = speakers
        speakers = before.filter { loudness(of: $0) >= Limit.falls }
        let known = Set(speakers)
        let begun = voices.filter { !known.contains($0.key) && $0.value.smoothed >= Limit.speaks }
        speakers += begun.keys.sorted { precedes($0, $1) }
        settle()
        return speakers != before
    }

    private static func aged(_ voice: Voice) -> Voice {
        var voice = voice
        voice.age += 1
        if voice.age > Limit.patience { voice.heard = 0 }
        voice.smoothed +=
            (voice.heard - voice.smoothed) * (voice.heard > voice.smoothed ? Limit.rise : Limit.fall)
        return voice
    }

    /// Insertion sort in which one passes another only when clearly louder.
    private mutating func settle() {
        for start in speakers.indices.dropFirst() {
            var index = start
            while index > 0, isClearlyLouder(speakers[index], than: speakers[index - 1]) {
                speakers.swapAt(index, index - 1)
                index -= 1
            }
        }
    }

    /// Louder first; by name where equal, so that the order does not depend on hashing.
    private func precedes(_ left: SourceID, _ right: SourceID) -> Bool {
        let (first, second) = (loudness(of: left), loudness(of: right))
        let (one, other) = (left.participant.rawValue, right.participant.rawValue)
        return first != second ? first > second : one != other ? one < other : left.role.rawValue < right.role.rawValue
    }
}
