import Fleet
import Meetings
import TestSupport
import Testing

@testable import Api

/// What a PoP of version 1 says, byte by byte: later versions must go on to understand it.
@Suite(.timeLimit(.minutes(5))) struct LinkRecordedTests {
    /// hello, ping 5, subscribe m_1, acknowledge (1, 1), request y=2, a Trunk's message, unsubscribe m_2.
    private static let recorded =
        "0000004b017b22636c6f636b223a302c22666c656574223a2266222c2268696768657374223a312c22696e7374616e636522"
        + "3a223261222c226c6f77657374223a312c22706f70223a226f6c64227d000000090200000000000000050000001506036d5f"
        + "3100000000000000000000000000000000000000150c036d5f3100000000000000010000000000000001000000180d036d5f"
        + "3100000000000000010000000000000001793d32000000031068690000000507036d5f32"

    private static func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex)
        return stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(digits[$0...($0 + 1)]), radix: 16)
        }
    }

    @Test func aPeerOfVersionOneIsServed() async throws {
        let authority = try TestAuthority()
        let a = try await LinkedPoP("a", authority.store("DNS:a"), registry: nil)
        let (meeting, old) = (MeetingID("m_1")!, PoPName("old")!)
        await a.service.open(meeting, number: MeetingNumber("100000001")!, granted: 1)
        _ = await a.service.request(.init("x", 1), in: meeting)
        let peer = try await LinkPeer(to: a.port, authority.issue("DNS:old"))
        peer.say(Self.bytes(Self.recorded))
        await a.events.until { $0.contains(.trunk(old, [0x68, 0x69])) }
        await a.has(["x": 1, "y": 2], in: meeting)
        let done = LinkMessage.done(meeting, id: 1, Revision(epoch: 1, number: 2))
        let told = await peer.hears { $0.contains(done) && $0.contains(.pong(5)) }
        #expect(told.contains(.homes([MeetingClaim(meeting, epoch: 1)])))
        let states = told.compactMap { if case .state(meeting, _, _, let body) = $0 { body } else { nil } }
        #expect(states.first.flatMap { LinkMeeting(bytes: $0) }?.values["x"] == 1)
        #expect(await a.service.reading.exchange.garbled == 0)
        #expect(await a.service.reading.open.keys.map(\.rawValue) == ["old"])
        await peer.close()
        await a.service.stop()
    }
}
