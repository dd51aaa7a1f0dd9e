import Foundation
import Testing

@testable import needletail

@Suite struct ComposeCommandTests {
    @Test(
        arguments: [
            ("90", 90_000), ("1:30", 90_000), ("0:01:30.25", 90_250), ("2:00:00", 7_200_000), ("0", 0), ("", nil),
            ("-1", nil),
            ("1:60", nil), ("1:2:3:4", nil), ("nan", nil), ("1e300", nil), ("a:1", nil), ("-1:10", nil), (":10", nil),
        ] as [(String, Int?)])
    func timesAreRead(_ time: (text: String, ms: Int?)) {
        #expect(ComposeCommand.milliseconds(time.text) == time.ms)
    }

    @Test func sizesAreRead() throws {
        #expect(try #require(ComposeCommand.pixels("1280x720")) == (1_280, 720))
        for text in ["", "x", "1280", "1281x720", "1280x720x3", "0x0", "-2x720", "99999x99998", "1280X720"] {
            #expect(ComposeCommand.pixels(text) == nil, "\(text)")
        }
    }

    @Test(arguments: ["--layout mosaic", "--size 5x5", "--from x", "--threads 1000", ""])
    func wrongOptionsAreRefused(_ options: String) {
        let folder = options.isEmpty ? [] : ["folder"]
        #expect(throws: (any Error).self) {
            try ComposeCommand.parse(folder + options.split(separator: " ").map(String.init))
        }
    }

    @Test func aTerminalHasABarAndALogHasLines() {
        var bar = ProgressBar(isTerminal: true)
        #expect(bar.note(0, passed: 0) == "\r[----------------------------------------] 0%\u{1B}[K")
        #expect(bar.note(0.001, passed: 1) == nil)
        #expect(bar.note(0.5, passed: 65) == "\r[####################--------------------] 50%, 1:05 left\u{1B}[K")
        #expect(bar.note(1, passed: 130) == "\r[########################################] 100%\u{1B}[K\n")
        var lines = ProgressBar(isTerminal: false)
        let said = (0...1_000).compactMap { lines.note(Double($0) / 1_000, passed: 1) }
        #expect(said == (0...10).map { "\($0 * 10)%\n" })
    }

    /// What is written to all is recorded; what is not meant for all is not.
    @Test func theChatIsNews() throws {
        func news(_ fields: String) -> MeetingNews? {
            let text =
                "{\"type\":\"chat\",\"message\":{\"chat_id\":\"c_1\",\"sender_id\":\"p_1\",\"sender_name\":\"Ada\",\"text\":\"hi\""
                + fields + "}}"
            return MeetingNews(Data(text.utf8))
        }
        guard case .chat(let message)? = news(",\"deleted\":true,\"sent_at\":\"2026-01-01T00:00:00Z\"") else {
            Issue.record("no chat")
            return
        }
        #expect(
            message.chatID == "c_1" && message.senderName == "Ada" && message.text == "hi" && message.deleted == true)
        #expect(news(",\"recipient_id\":\"p_2\"") == nil && news(",\"room_id\":\"b_1\"") == nil)
        #expect(MeetingNews(Data("{\"type\":\"chat\",\"message\":\"x\"}".utf8)) == nil)
    }
}
