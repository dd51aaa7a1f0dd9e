@testable import Fleet

/// A meeting of names with values, the smallest that a copy can hold.
struct TestMeeting: MeetingBody, Equatable {
    var values: [String: Int] = [:]

    init() {}

    init?(bytes: [UInt8]) {
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            guard let change = Change(bytes: Array(line.utf8)) else { return nil }
            apply(change)
        }
    }

    var bytes: [UInt8] { values.sorted { $0.key < $1.key }.flatMap { Array("\($0.key)=\($0.value)\n".utf8) } }

    func refusal(of change: Change) -> String? { change.value % 17 == 16 ? "unlucky" : nil }

    mutating func apply(_ change: Change) { values[change.key] = change.value }

    struct Change: MeetingChange {
        let key: String
        let value: Int
        var isRemoval: Bool { value == 0 }

        init(_ key: String, _ value: Int) {
            self.key = key
            self.value = value
        }

        init?(bytes: [UInt8]) {
            let parts = String(decoding: bytes, as: UTF8.self).split(separator: "=")
            guard parts.count == 2, let value = Int(parts[1]) else { return nil }
            self.init(String(parts[0]), value)
        }

        var bytes: [UInt8] { Array("\(key)=\(value)".utf8) }
    }
}
