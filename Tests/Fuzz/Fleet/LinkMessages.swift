import Meetings

@testable import Fleet

/// A PoP that is Home of one meeting and Branch of another, and a peer that sends it these bytes: a step a byte where there is
/// no frame. Nothing may grow beyond its limit.
func fuzzLinkMessages(_ input: UnsafeRawBufferPointer) {
    let (pop, peer) = (PoPInstance(name: PoPName("a")!, instance: 1), PoPInstance(name: PoPName("b")!, instance: 2))
    var link = LinkConnection(
        hello: LinkHello(fleet: "f", pop: pop), greeting: [], expected: nil, policy: LinkPolicy(), at: .zero)
    var exchange = MeetingExchange<FuzzMeeting>(pop: pop)
    exchange.linkOpened(peer, at: .zero)
    let meetings = [MeetingID("m_1")!, MeetingID("m_2")!]
    for id in meetings { exchange.open(id, number: MeetingNumber("123456789")!, at: .zero) }
    exchange.tick(at: .zero)
    settle(&exchange, at: .zero) { $0 == meetings[0] ? .lead(epoch: 2) : .follow(peer.name, epoch: 1) }
    let greeting = LinkHello(fleet: "f", pop: peer).frame.bytes
    guard (try? link.receive(greeting, at: .zero)) != nil else { preconditionFailure("hello") }
    guard let messages = try? link.receive(Array(input), at: .zero) else { return }
    var now = Duration.zero
    var number = 0
    for message in messages {
        number += 1
        now += .milliseconds(number % 7 == 0 ? 1_000 : 10)
        exchange.receive(message, from: peer.name, at: now)
        _ = exchange.request(FuzzMeeting.Change(bytes: [UInt8(number & 0xff)])!, in: meetings[number & 1])
        exchange.tick(at: now)
        settle(&exchange, at: now) { _ in .follow(peer.name, epoch: nil) }
        if number % 3 == 0, let message = exchange.next(for: peer.name, at: now) {
            precondition((try? LinkMessage(message.frame)) != nil, "\(message)")
        }
        for meeting in exchange.meetings.values {
            precondition(meeting.log.count <= 256 && meeting.replies.values.allSatisfy { $0.count <= 128 })
            precondition(meeting.pending.count <= 256 + 4_096)
        }
    }
}

private func settle(
    _ exchange: inout MeetingExchange<FuzzMeeting>, at now: Duration, _ answer: (MeetingID) -> HomeSearch.Answer
) {
    for case .search(let search) in exchange.takeEvents() {
        exchange.answer(search, answer(search.meeting), at: now)
    }
}
