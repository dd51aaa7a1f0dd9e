import Foundation
import Logging
import NIOCore
import Testing

@testable import needletail

@Suite("The announcement's policy")
struct AnnouncementPolicyTests {
    private func level(after polls: [AnnouncementPolicy.Poll], threshold: Double = 0.8) -> AnnouncementPolicy.Level {
        var policy = AnnouncementPolicy(threshold: threshold)
        for poll in polls { policy.take(poll) }
        return policy.level
    }

    private let good = [AnnouncementPolicy.Poll](repeating: .ready(load: 0.1), count: AnnouncementPolicy.rise)

    @Test func announcesAfterGoodPollsInARow() {
        #expect(level(after: []) == .withdrawn)
        #expect(level(after: good.dropLast()) == .withdrawn)
        #expect(level(after: good) == .preferred)
        #expect(level(after: good.dropLast() + [.refused] + good.dropLast()) == .withdrawn)
        #expect(level(after: good.dropLast() + [.silent] + good.dropLast()) == .withdrawn)
        #expect(level(after: [AnnouncementPolicy.Poll](repeating: .ready(load: nil), count: 4)) == .preferred)
    }

    @Test func believesARefusalAtOnceAndSilenceAtTheSecondTime() {
        #expect(level(after: good + [.refused]) == .withdrawn)
        #expect(level(after: good + [.silent]) == .preferred)
        #expect(level(after: good + [.silent, .silent]) == .withdrawn)
        #expect(level(after: good + [.silent, .ready(load: 0.1), .silent]) == .preferred)
        #expect(level(after: good + [.refused, .ready(load: 0.1)]) == .withdrawn)
    }

    @Test func yieldsAboveTheThresholdAndComesBackWellBelowIt() {
        #expect(level(after: good + [.ready(load: 0.81)]) == .reserve)
        #expect(level(after: good + [.ready(load: 0.81), .ready(load: 0.75)]) == .reserve)
        #expect(level(after: good + [.ready(load: 0.81), .ready(load: nil)]) == .reserve)
        #expect(level(after: good + [.ready(load: 0.81), .ready(load: 0.69)]) == .preferred)
        #expect(level(after: good + [.ready(load: 0.79)]) == .preferred)
        #expect(level(after: good + [.ready(load: 0.81), .refused]) == .withdrawn)
    }

    /// The longest way from the last good poll to the second miss, and what BIRD is given.
    @Test func withdrawsWithinThreeSeconds() {
        let worst = Announcer.interval + Announcer.patience * AnnouncementPolicy.fall
        #expect(worst < .seconds(2))
        #expect(worst + Announcer.birdPatience < .seconds(3))
    }

    @Test(arguments: [
        (#"{"load": {"headroom": 0.75}}"#, 0.25), (#"{"load": {"headroom": 0, "busy_ratio": 1}}"#, 1.0),
    ])
    func readsTheLoadOfANode(text: String, load: Double) {
        #expect(OpsProbe.load(in: Data(text.utf8)) == load)
    }

    @Test(arguments: ["", "{}", "[]", #"{"load": {}}"#, #"{"load": {"headroom": "much"}}"#, #"{"load": 1}"#])
    func aNodeThatSaysNothingHasNoLoad(text: String) { #expect(OpsProbe.load(in: Data(text.utf8)) == nil) }
}

@Suite("The announcement's life", .timeLimit(.minutes(1)))
struct AnnouncerTests {
    /// A helper that hangs is ended by the service manager, so each poll must be told, BIRD or no BIRD.
    @Test func eachPollIsASignOfLifeAndTheFirstSaysReady() async throws {
        let (heard, tell) = AsyncStream.makeStream(of: String.self)
        let control = BirdControl(socket: "/nowhere/bird.ctl", preferred: ["a"], reserve: [])
        let announcer = Announcer(
            probe: OpsProbe(address: OpsAddress(host: "127.0.0.1", port: 1)), control: control, threshold: 0.8,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), notify: { tell.yield($0) })
        let polling = Task { await announcer.run() }
        defer { polling.cancel() }
        var notices = heard.makeAsyncIterator()
        let first = try #require(await notices.next())
        let second = try #require(await notices.next())
        #expect(first.hasPrefix("READY=1\nWATCHDOG=1\nSTATUS=BIRD: "))
        #expect(second.hasPrefix("WATCHDOG=1\nSTATUS=BIRD: "))
    }
}

@Suite("A reply of BIRD")
struct BirdReplyTests {
    @Test func isTakenWholeAndLeavesTheNext() throws {
        var buffer = ByteBuffer(string: "0001 BIRD 2.0.12 ready.\n0011 needletail_v4: enabled\n00")
        #expect(try BirdReply.take(from: &buffer) == BirdReply(code: 1, text: "BIRD 2.0.12 ready."))
        #expect(try BirdReply.take(from: &buffer) == BirdReply(code: 11, text: "needletail_v4: enabled"))
        #expect(try BirdReply.take(from: &buffer) == nil)
        buffer.writeString("13 \n")
        #expect(try BirdReply.take(from: &buffer) == BirdReply(code: 13, text: ""))
    }

    @Test func mayHaveManyLines() throws {
        var buffer = ByteBuffer(string: "1002-lo up\n more of it\n 1234 not a code\n0000 end\n")
        #expect(try BirdReply.take(from: &buffer) == BirdReply(code: 0, text: "end"))
        #expect(buffer.readableBytes == 0)
    }

    @Test func saysWhatWentWrong() throws {
        var buffer = ByteBuffer(string: "8003 No protocols match\n9001 syntax error\n")
        #expect(try BirdReply.take(from: &buffer)?.isError == true)
        #expect(try BirdReply.take(from: &buffer)?.isError == true)
    }

    @Test func isNotEndless() {
        var buffer = ByteBuffer(repeating: UInt8(ascii: "x"), count: BirdReply.limit)
        #expect(throws: BirdFailure.self) { try BirdReply.take(from: &buffer) }
    }
}

@Suite("The announcement's options")
struct AnnounceOptionsTests {
    @Test(arguments: [
        ["--ops", "9090"], ["--ops", ":9090"], ["--load", "1.5"], ["--protocols", ""],
        ["--protocols", "a; disable all"], ["--protocols", "a,a"], ["--reserve-protocols", "needletail_v4"],
    ])
    func mistakesAreRefused(arguments: [String]) {
        #expect(throws: (any Error).self) { try AnnounceCommand.parse(arguments) }
    }

    @Test func theDefaultsAreTheTemplates() throws {
        let command = try AnnounceCommand.parse([])
        let conf = try String(
            contentsOf: URL(filePath: #filePath).deletingLastPathComponent().appending(
                path: "../../appliance/bird.conf"),
            encoding: .utf8)
        for name in (command.protocols + "," + command.reserveProtocols).split(separator: ",") {
            #expect(conf.contains("protocol static \(name) {\n    disabled;"))
        }
    }
}
