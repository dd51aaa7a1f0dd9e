import Meetings
import Testing

@testable import Fleet

@Suite struct DirectorMessageTests {
    private static let secret = LaneSecret(
        key: (0..<16).map { $0 }, salt: (0..<12).map { 0xf0 + $0 }, phase: 1)!
    private static let meeting = MeetingID("m_1")!
    private static let participant = ParticipantID("p_1")!

    static let messages: [DirectorMessage] = [
        .hello(DirectorHello(.loss, instance: .max, workers: 4)), .holds(lanes: [1, 0xffff_ffff], tracks: []),
        .openLane(LaneRequest(lane: 0xc000_0001, worker: 3, isV6: true, secret: secret)),
        .laneOpened(lane: 0xc000_0001, LaneOffer(name: 0xc000_0002, secret: secret)),
        .laneRefused(lane: 7, .elsewhere(worker: 2)), .closeLane(7),
        .carry(
            CarryRequest(
                lane: 0xc000_0001, track: 5, meeting: meeting, participant: participant, role: 3, publication: .max)),
        .carried(5), .refused(track: 5, .gone), .refused(track: 5, .full), .release(5),
        .changeKey(lane: 7, isOurs: true, secret), .keyChanged(lane: 7, isOurs: false, phase: 1),
        .levels(meeting, [SoundLevel(participant: participant, role: 1, level: 127)]), .levels(meeting, []),
    ]

    @Test(arguments: messages)
    func `what is written is read`(message: DirectorMessage) throws {
        #expect(try DirectorMessage.read(message.bytes) == message)
        // A newer version may add to it.
        #expect(try DirectorMessage.read(message.bytes + [1, 2, 3]) == message)
    }

    @Test(arguments: messages)
    func `what ends early is refused`(message: DirectorMessage) {
        for count in 0..<message.bytes.count {
            #expect(throws: LinkFailure.self) { try DirectorMessage.read(Array(message.bytes.prefix(count))) }
        }
    }

    @Test func `a type of a newer version is passed over`() throws {
        for type in 14...255 { #expect(try DirectorMessage.read([UInt8(type), 1, 2]) == nil) }
        #expect(throws: LinkFailure.self) { try DirectorMessage.read([]) }
    }

    @Test(arguments: [
        // No workers; an occasion that is none; more names than there may be; IPv5; a phase that is none; a role that is none; a reason that is none.
        [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3], [2, 0xff, 0xff],
        [3, 0, 0, 0, 0, 0, 5] + [UInt8](repeating: 0, count: 29),
        [3, 0, 0, 0, 0, 0, 4, 2] + [UInt8](repeating: 0, count: 28),
        [7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x6d, 1, 0x70, 4, 0, 0, 0, 0, 0, 0, 0, 0], [9, 0, 0, 0, 0, 9],
        // Ids that are none; eleven levels; a level that is none.
        [13, 1, 0x21, 0], [13, 1, 0x6d, 11], [13, 1, 0x6d, 1, 1, 0x70, 0, 128],
    ])
    func `what cannot be is refused`(bytes: [UInt8]) {
        #expect(throws: LinkFailure.self) { try DirectorMessage.read(bytes) }
    }

    @Test func `the longest message fits into a link's`() throws {
        let names = (0..<UInt32(DirectorMessage.mostNames)).map { $0 }
        let message = DirectorMessage.holds(lanes: names, tracks: names)
        #expect(message.bytes.count <= 65_536)
        #expect(try DirectorMessage.read(message.bytes) == message)
        #expect(throws: LinkFailure.self) { try DirectorMessage.read([200] + [UInt8](repeating: 0, count: 65_536)) }
    }
}
