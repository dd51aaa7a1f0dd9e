import Meetings

/// Words of a plan behind zeros: topic, time zone, rule, name. What is taken is what a meeting may hold.
func fuzzMeetingPlans(_ input: UnsafeRawBufferPointer) {
    let words = input.split(separator: 0, maxSplits: 3, omittingEmptySubsequences: false).map {
        String(decoding: $0, as: UTF8.self)
    }
    func word(_ index: Int) -> String? { index < words.count ? words[index] : nil }
    let now = Timestamp(milliseconds: 1_800_000_000_000)
    var plan = MeetingPlan(type: .recurring, startTime: now, timezone: word(1), recurrence: word(2) ?? "FREQ=DAILY")
    plan.topic = words[0]
    if let meant = try? plan.validated(at: now, within: Limits()) {
        precondition((1...Limits().topic).contains(meant.topic.count) && meant.recurrence!.hasPrefix("FREQ="))
    }
    var generator = SystemRandomNumberGenerator()
    var catalog = MeetingCatalog()
    guard let meeting = try? catalog.create(MeetingPlan(topic: "a"), owner: "a", at: now, using: &generator),
        let name = word(3),
        let guest = try? catalog.join(
            meeting.id, JoinRequest(displayName: name), at: now, using: &generator, by: { _, _ in [] })
    else { return }
    precondition((1...Limits().displayName).contains(guest.displayName.count))
    precondition(guest.displayName.unicodeScalars.contains { !$0.properties.isDefaultIgnorableCodePoint })
}
