import Meetings
import Testing

@testable import Fleet

@Suite struct LinkConnectionTests {
    static func hello(_ name: String, fleet: String = "f", instance: UInt64 = 1, _ versions: ClosedRange<Int> = 1...1)
        -> LinkHello
    {
        LinkHello(fleet: fleet, pop: PoPInstance(name: PoPName(name)!, instance: instance), versions: versions)
    }

    private func connection(
        _ hello: LinkHello = LinkConnectionTests.hello("a"), expected: String? = nil
    ) -> LinkConnection {
        LinkConnection(hello: hello, expected: expected.flatMap(PoPName.init), policy: LinkPolicy(), at: .zero)
    }

    private func failure(_ connection: LinkConnection, _ bytes: [UInt8]) -> LinkFailure? {
        var connection = connection
        do throws(LinkFailure) {
            _ = try connection.receive(bytes, at: .zero)
            return nil
        } catch { return error }
    }

    /// What a PoP of version 1 sends: hello, an unsubscription, and a frame of a type that nobody knows.
    static let recorded: [UInt8] =
        [0, 0, 0, 75, 1] + Array(#"{"clock":0,"fleet":"f","highest":1,"instance":"2a","lowest":1,"pop":"old"}"#.utf8)
        + [0, 0, 0, 5, 7, 3] + Array("m_1".utf8) + [0, 0, 0, 3, 200, 1, 2] + [0, 0, 0, 5, 7, 3] + Array("m_2".utf8)

    @Test func aPeerOfTheVersionBeforeIsSpokenWith() throws {
        var link = connection(Self.hello("a", 1...2))
        let messages = try link.receive(Self.recorded, at: .zero)
        #expect(link.version == 1 && link.peer?.pop == PoPInstance(name: PoPName("old")!, instance: 0x2a))
        #expect(messages == [.unsubscribe(MeetingID("m_1")!), .unsubscribe(MeetingID("m_2")!)])
        #expect(link.skipped == 1)
    }

    @Test func aFieldThatIsNotKnownIsPassedOver() throws {
        let json = #"{"clock":0,"fleet":"f","highest":3,"instance":"1","lowest":1,"new":[1],"pop":"b"}"#
        var link = connection()
        _ = try link.receive(LinkFrame(type: 1, body: Array(json.utf8)).bytes, at: .zero)
        #expect(link.version == 1)
    }

    @Test func whoCannotBeSpokenWithIsToldWhy() {
        #expect(
            failure(connection(Self.hello("a", 3...4)), Self.hello("b", 1...2).frame.bytes)
                == .version(ours: 3...4, theirs: 1...2))
        #expect(failure(connection(), Self.hello("b", fleet: "g").frame.bytes) == .otherFleet("g"))
        #expect(failure(connection(), Self.hello("a").frame.bytes) == .ownName)
        #expect(failure(connection(expected: "c"), Self.hello("b").frame.bytes) == .otherName(PoPName("b")!))
        #expect(failure(connection(), LinkMessage.ping(1).frame.bytes) == .malformed("no hello"))
        #expect(failure(connection(), [0, 0, 0, 3, 1, 0x7b, 0x7d]) == .malformed("hello"))
        #expect(failure(connection(), Array("GET / HTTP/1.1\r\n\r\n".utf8)) != nil)
        let second = Self.hello("b").frame.bytes
        #expect(failure(connection(), second + second) == .malformed("a second hello"))
    }

    @Test func whoHasNotSaidHelloGetsLittleMemory() {
        #expect(failure(connection(), [0, 0, 0x10, 1]) == .malformed("a frame of 4097 bytes, 4096 are allowed"))
    }

    @Test func silenceEndsALinkAndRoundTripsAreMeasured() throws {
        var (a, b) = (connection(), connection(Self.hello("b")))
        _ = try a.receive(b.takeOutput(), at: .zero)
        _ = try b.receive(a.takeOutput(), at: .zero)
        try a.tick(at: .milliseconds(10))
        _ = try b.receive(a.takeOutput(), at: .milliseconds(50))
        _ = try a.receive(b.takeOutput(), at: .milliseconds(90))
        #expect(a.roundTrip == .milliseconds(80))
        try a.tick(at: .milliseconds(3_089))
        #expect(throws: LinkFailure.silent) { try a.tick(at: .milliseconds(3_090)) }
    }

    @Test func ofManyPingsTheLatestIsAnswered() throws {
        var link = connection()
        _ = try link.receive(Self.hello("b").frame.bytes, at: .zero)
        _ = link.takeOutput()
        for clock in 1...1_000 { _ = try link.receive(LinkMessage.ping(UInt64(clock)).frame.bytes, at: .zero) }
        #expect(link.takeOutput() == LinkMessage.pong(1_000).frame.bytes)
    }

    @Test func halfAHelloDoesNotKeepAConnection() throws {
        var link = connection()
        _ = try link.receive([0, 0], at: .seconds(2))
        #expect(throws: LinkFailure.silent) { try link.tick(at: .seconds(3)) }
    }

    @Test func aPongThatWasNotAskedForMeasuresNothing() throws {
        var link = connection()
        _ = try link.receive(Self.hello("b").frame.bytes, at: .zero)
        _ = try link.receive(LinkMessage.pong(.max).frame.bytes + LinkMessage.pong(0).frame.bytes, at: .seconds(9))
        #expect(link.roundTrip == nil)
    }
}
