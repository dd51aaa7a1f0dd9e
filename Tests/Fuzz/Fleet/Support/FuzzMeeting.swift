import Fleet

/// A meeting that is its last change.
struct FuzzMeeting: MeetingBody {
    var bytes: [UInt8] = []

    init() {}
    init?(bytes: [UInt8]) {
        guard bytes.count < 256 else { return nil }
        self.bytes = bytes
    }

    func refusal(of change: Change) -> String? { change.bytes.first == 0 ? "no" : nil }
    mutating func apply(_ change: Change) { bytes = change.bytes }

    struct Change: MeetingChange {
        let bytes: [UInt8]
        var key: String { bytes.first.map(String.init) ?? "" }
        var isRemoval: Bool { bytes.isEmpty }

        init?(bytes: [UInt8]) {
            guard bytes.count < 256 else { return nil }
            self.bytes = bytes
        }
    }
}
