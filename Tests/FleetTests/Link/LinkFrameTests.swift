import Meetings
import Testing

@testable import Fleet

@Suite struct LinkFrameTests {
    private static let meeting = MeetingID("m_1")!
    private static let pop = PoPInstance(name: PoPName("a")!, instance: 7)
    static let messages: [LinkMessage] = {
        let revision = Revision(epoch: 3, number: 9)
        let origin = RequestOrigin(pop: pop, id: 4)
        var origins = RequestOrigins()
        origins.insert(origin)
        return [
            .ping(5), .pong(6), .goodbye("stopping"), .homes([MeetingClaim(meeting, epoch: 2)]), .homes([]),
            .subscribe(meeting, last: nil), .subscribe(meeting, last: revision), .unsubscribe(meeting),
            .notHome(meeting, nil), .notHome(meeting, Home(pop: pop.name, epoch: 8)), .resumed(meeting, revision),
            .state(meeting, revision, origins, body: [1, 2]), .change(meeting, revision, origin, body: [3]),
            .acknowledge(meeting, revision), .request(meeting, epoch: 3, id: 4, body: []),
            .done(meeting, id: 4, revision), .refused(meeting, id: 4, reason: "full"),
            .trunk([9, 8]), .trunk([]), .standby(meeting, MeetingNumber("123456789")), .standby(meeting, nil),
            .ended(meeting),
        ]
    }()

    private func frames(_ bytes: [UInt8], pieces: Int, limit: Int = LinkPolicy.frameLimit) throws -> [LinkFrame] {
        var decoder = LinkFrameDecoder(limit: limit)
        var frames: [LinkFrame] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            rest = rest.dropFirst(decoder.take(rest.prefix(pieces)))
            while let frame = try decoder.next() { frames.append(frame) }
        }
        #expect(decoder.waiting == 0)
        return frames
    }

    @Test(arguments: [1, 3, 1_000]) func messagesComeOutAsTheyWentIn(_ pieces: Int) throws {
        let bytes = Self.messages.flatMap(\.frame.bytes)
        #expect(try frames(bytes, pieces: pieces).compactMap { try LinkMessage($0) } == Self.messages)
    }

    @Test func everyMessageCutShortIsMalformed() throws {
        for message in Self.messages {
            let frame = message.frame
            for count in 0..<frame.body.count {
                let cut = LinkFrame(type: frame.type, body: Array(frame.body.prefix(count)))
                // Texts at the end and bodies may be shorter; nothing else may.
                guard let read = try? LinkMessage(cut) else { continue }
                #expect(read.frame.body == cut.body, "\(message) cut to \(count)")
            }
        }
    }

    @Test func aLongFrameIsRefusedBeforeItHasCome() {
        var decoder = LinkFrameDecoder(limit: 100)
        _ = decoder.take([0, 0, 0, 101][...])
        #expect(throws: LinkFailure.self) { try decoder.next() }
        var empty = LinkFrameDecoder(limit: 100)
        _ = empty.take([0, 0, 0, 0][...])
        #expect(throws: LinkFailure.self) { try empty.next() }
    }

    @Test func ofAnUnfinishedFrameNoMoreThanTheLimitIsKept() {
        var decoder = LinkFrameDecoder(limit: 100)
        var taken = 0
        for _ in 0..<10 { taken += decoder.take([UInt8](repeating: 0, count: 60)[...]) }
        #expect(taken == 104 && decoder.waiting == 104)
    }

    @Test func whatCannotBeIsMalformed() {
        var writer = LinkWriter()
        writer.put("m_1")
        writer.put(Home.epochs.upperBound + 1)
        writer.put(UInt64(1))
        #expect(throws: LinkFailure.malformed("epoch \(Home.epochs.upperBound + 1)")) {
            try LinkMessage(LinkFrame(type: LinkMessage.Kind.acknowledge.rawValue, body: writer.bytes))
        }
        #expect(throws: LinkFailure.malformed("no meeting's id")) {
            try LinkMessage(LinkFrame(type: LinkMessage.Kind.unsubscribe.rawValue, body: [1, 0x20]))
        }
    }

    @Test func aMessageOfATrunkHasALimit() throws {
        let longest = LinkMessage.trunk([UInt8](repeating: 1, count: LinkPolicy.trunkLimit))
        #expect(try LinkMessage(longest.frame) == longest)
        let longer = LinkMessage.trunk([UInt8](repeating: 1, count: LinkPolicy.trunkLimit + 1))
        #expect(throws: LinkFailure.malformed("a long message of a Trunk")) { try LinkMessage(longer.frame) }
    }

    @Test func deepJSONIsNotParsed() {
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 33)
        #expect(!BoundedJSON.isShallow(deep))
        #expect(BoundedJSON.isShallow(Array(deep.dropFirst())))
        #expect(BoundedJSON.isShallow(Array("{\"a\\\"[[\":\"\(String(repeating: "[", count: 40))\"}".utf8)))
        let nested = String(repeating: "[", count: 33) + String(repeating: "]", count: 33)
        #expect(BoundedJSON.decode([String: [Int]].self, Array(nested.utf8)) == nil)
        #expect(BoundedJSON.decode([Int].self, Array("[1]".utf8)) == [1])
    }
}
