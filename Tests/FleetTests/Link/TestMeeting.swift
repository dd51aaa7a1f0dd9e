@testable import Fleet

/// A meeting of names with values, the smallest that a copy can hold.
struct TestMeeting: MeetingBody, Equatable {
    var values: [String: Int] = [:]

    init() {}

    init?(bytes: [UInt8]) {
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let change = Change(bytes: Array(line)) else { return nil }
            apply(change)
        }
    }

    var bytes: [UInt8] { values.sorted { $0.key < $1.key }.flatMap { Array("\($0.key)=\($0.value)\n".utf8) } }

    func refusal(of change: Change) -> String? { change.value % 17 == 16 ? "unlucky" : nil }

    /// Once the box is shut nobody is to know any more what was put into it.
    func isOutdated(_ change: Change) -> Bool { change.key.hasPrefix("secret") && values["shut"] == 1 }

    mutating func apply(_ change: Change) { values[change.key] = change.value }

    struct Change: MeetingChange {
        let key: String
        let value: Int
        var isRemoval: Bool { value == 0 }
        var isMessage: Bool { key.hasPrefix("chat") }
        var outdatesOthers: Bool { key == "shut" }

        init(_ key: String, _ value: Int) {
            self.key = key
            self.value = value
        }

        init?(bytes: [UInt8]) {
            guard let sign = bytes.firstIndex(of: UInt8(ascii: "=")),
                let value = Int(String(decoding: bytes[(sign + 1)...], as: UTF8.self))
            else { return nil }
            self.init(String(decoding: bytes[..<sign], as: UTF8.self), value)
        }

        var bytes: [UInt8] { Array("\(key)=\(value)".utf8) }
    }
}
