import Glibc
import Logging
import Meetings
import Store
import Webhooks

// Makes, changes and ends meetings in the file that is its argument, several at once, and says on standard output what was
// acknowledged: "ID STEP", step 0 for made, then the number of the change, -1 for ended. Tests kill it meanwhile.

/// A line at once, in one write: whoever kills us has what was said.
@Sendable func say(_ id: MeetingID, _ step: Int) {
    let line = "\(id) \(step)\n"
    _ = line.withCString { write(1, $0, strlen($0)) }
}

@Sendable func live(_ store: MeetingStore) async throws {
    var generator = SystemRandomNumberGenerator()
    var record = MeetingRecord(
        id: MeetingID(using: &generator), number: MeetingNumber(using: &generator), owner: "writer",
        createdAt: Timestamp(milliseconds: 1_800_000_000_000), hostKey: Secret.random(length: 12, using: &generator),
        plan: MeetingPlan(topic: "0"), password: nil)
    try await store.keep(record, nil)
    say(record.id, 0)
    for step in 1...3 {
        let before = record
        record.plan.topic = "\(step)"
        try await store.change(record, from: before, nil)
        say(record.id, step)
    }
    if Bool.random() {
        try await store.end(record.id, at: Timestamp(milliseconds: 1_800_000_001_000), reason: "ended", nil)
        say(record.id, -1)
    }
}

var quiet = Logger(label: "writer")
quiet.logLevel = .error
let store = try MeetingStore(
    path: CommandLine.arguments[1], webhooks: [WebhookSubscription(endpoint: "all")], logger: quiet)
try await withThrowingTaskGroup(of: Void.self) { tasks in
    for _ in 0..<8 { tasks.addTask { while true { try await live(store) } } }
    try await tasks.waitForAll()
}
