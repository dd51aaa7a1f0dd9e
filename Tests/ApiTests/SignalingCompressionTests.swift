import NIOCore
import NIOHTTP1
import Testing

@testable import Api

/// RFC 7692.
@Suite(.timeLimit(.minutes(1))) struct SignalingCompressionTests {
    private let offer = "permessage-deflate; client_max_window_bits"

    /// The examples of section 7.2.3: one block with fixed codes, one that is stored, one that says it is the last, and two.
    @Test(
        arguments: [
            [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00],
            [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00],
            [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
            [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
        ] as [[UInt8]])
    func theExamplesOfTheStandardAreRead(_ bytes: [UInt8]) throws {
        let message = try MessageCompressor().decompress(ByteBuffer(bytes: bytes).readableBytesView, limit: 5)
        #expect(message == ByteBuffer(string: "Hello"))
    }

    @Test func aMessageIsWrittenAsTheStandardHasIt() {
        let compressed = MessageCompressor().compress(ByteBuffer(string: "Hello").readableBytesView)
        #expect(compressed == ByteBuffer(bytes: [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]))
    }

    @Test func whatWasWrittenIsReadAgain() throws {
        let compressor = MessageCompressor()
        var generator = SystemRandomNumberGenerator()
        for length in [0, 1, 1_399, 1_400, 65_535, 65_536, 256 * 1_024] {
            // Half of it repeats, half of it does not.
            let noise = (0..<length).map {
                $0 % 2_000 < 1_000 ? UInt8($0 & 0xff) : UInt8.random(in: 0...255, using: &generator)
            }
            let compressed = compressor.compress(ByteBuffer(bytes: noise).readableBytesView)
            #expect(try compressor.decompress(compressed.readableBytesView, limit: length) == ByteBuffer(bytes: noise))
        }
    }

    @Test func aMessageThatGrowsBeyondTheLimitIsRefused() throws {
        let compressor = MessageCompressor()
        let bomb = compressor.compress(ByteBuffer(repeating: 0, count: 10_000_000).readableBytesView)
        #expect(bomb.readableBytes < 60_000)
        #expect(throws: MessageCompressor.Fault.tooLong) {
            try compressor.decompress(bomb.readableBytesView, limit: 256 * 1_024)
        }
        #expect(throws: MessageCompressor.Fault.malformed) {
            try compressor.decompress(ByteBuffer(bytes: [0xff, 0xff]).readableBytesView, limit: 100)
        }
    }

    @Test func bentMessagesAreReadOrRefused() {
        let compressor = MessageCompressor()
        let lines = ByteBuffer(string: String(repeating: "a=rtcp-fb:96 nack pli\r\n", count: 99))
        let whole = compressor.compress(lines.readableBytesView)
        var refused = 0
        for round in 0..<4_000 {
            var bent = Array(whole.readableBytesView)
            bent[round % bent.count] ^= UInt8(truncatingIfNeeded: 1 + round / bent.count)
            let message = try? compressor.decompress(ByteBuffer(bytes: bent).readableBytesView, limit: 4_096)
            if let message { #expect(message.readableBytes <= 4_096) } else { refused += 1 }
        }
        #expect(refused > 0)
        #expect((try? compressor.decompress(whole.readableBytesView, limit: 4_096)) == lines)
    }

    @Test func onlyWhatIsUnderstoodIsAgreedTo() {
        func isAccepted(_ offers: String...) -> Bool {
            PermessageDeflate.isOffered(in: HTTPHeaders(offers.map { ("sec-websocket-extensions", $0) }))
        }
        #expect(isAccepted("permessage-deflate"))
        #expect(isAccepted("permessage-deflate; client_max_window_bits"))
        #expect(
            isAccepted("x-other; a=1, Permessage-Deflate ;server_no_context_takeover; client_max_window_bits=\"9\""))
        #expect(isAccepted("x-other", "permessage-deflate; server_max_window_bits=15"))
        #expect(isAccepted("permessage-deflate; server_max_window_bits=10, permessage-deflate"))
        #expect(!isAccepted())
        #expect(!isAccepted("permessage-deflated"))
        #expect(!isAccepted("permessage-deflate; server_max_window_bits=10"))
        #expect(!isAccepted("permessage-deflate; client_max_window_bits=16"))
        #expect(!isAccepted("permessage-deflate; client_max_window_bits=08"))
        #expect(!isAccepted("permessage-deflate; server_no_context_takeover=1"))
        #expect(!isAccepted("permessage-deflate; client_no_context_takeover; client_no_context_takeover"))
        #expect(!isAccepted("permessage-deflate; unknown"))
        #expect(!isAccepted("permessage-deflate;"))
    }

    @Test func aSocketThatAgreedHearsAndIsHeard() async throws {
        try await ApiNode.run { node async throws in
            let socket = try await SignalingClient.connect(port: node.port, extensions: offer)
            #expect(
                socket.extensions == "permessage-deflate; server_no_context_takeover; client_no_context_takeover")
            let ping = MessageCompressor().compress(ByteBuffer(string: #"{"type": "ping", "id": 1}"#).readableBytesView)
            try await socket.send(.text, ping, rsv1: true)
            #expect(try await socket.next() == ["type": "pong", "id": 1])
            // Without compression as well, and in fragments, with a ping between them.
            #expect(try await socket.ask(["type": "ping", "id": 2])["type"] == "pong")
            try await socket.send(.text, ping.getSlice(at: 0, length: 3)!, fin: false, rsv1: true)
            try await socket.send(.ping, ByteBuffer())
            try await socket.send(.continuation, ping.getSlice(at: 3, length: ping.readableBytes - 3)!)
            #expect(try await socket.next() == ["type": "pong", "id": 1])
        }
    }

    @Test func longMessagesAreCompressedForThoseWhoAgreed() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            for number in 0..<20 { _ = try await node.enter(meeting, "Somebody with a long name \(number)") }
            let place = try await node.join(meeting, "Ada")
            let socket = try await SignalingClient.connect(port: node.port, extensions: offer)
            let join: Value = ["type": "join", "id": 1, "session_token": try #require(place["session_token"])]
            let joined = try await socket.ask(join)
            #expect(joined["type"] == "joined")
            #expect(socket.compressedMessages == 1)
        }
    }

    @Test func theFramesOfOneWriteStayApart() {
        let long = [UInt8](repeating: 0x61, count: 70_000)
        var frames = TextFrame.wrap([0x7b, 0x7d])
        frames.writeImmutableBuffer(TextFrame.wrap(long))
        frames.writeImmutableBuffer(TextFrame.wrap([UInt8](repeating: 0x62, count: 200)))
        var compressed = PermessageDeflate.compress(frames)
        #expect(compressed.readableBytes < 600)
        #expect(compressed.readBytes(length: 4) == [0x81, 0x02, 0x7b, 0x7d])
        #expect(compressed.getInteger(at: compressed.readerIndex) == 0xc1 as UInt8)
        let payload = TextFrame.read(&compressed)?.payload
        #expect(
            (try? payload.map { try MessageCompressor().decompress($0.readableBytesView, limit: 70_000) })
                == ByteBuffer(bytes: long))
        #expect(TextFrame.read(&compressed)?.payload.readableBytes == 200)
        #expect(compressed.readableBytes == 0)
    }

    @Test func brokenCompressionClosesTheSocketWithItsCode() async throws {
        try await ApiNode.run { node async throws in
            func code(_ extensions: String?, _ body: (SignalingClient) async throws -> Void) async throws -> UInt16? {
                let socket = try await SignalingClient.connect(port: node.port, extensions: extensions)
                try await body(socket)
                return await socket.closeCode()
            }
            let text = ByteBuffer(string: "{}")
            let bomb = MessageCompressor().compress(ByteBuffer(repeating: 0x20, count: 300_000).readableBytesView)
            #expect(try await code(nil) { try await $0.send(.text, text, rsv1: true) } == 1_002)
            #expect(try await code(offer) { try await $0.send(.ping, text, rsv1: true) } == 1_002)
            #expect(try await code(offer) { try await $0.send(.text, ByteBuffer(bytes: [0xff]), rsv1: true) } == 1_007)
            #expect(try await code(offer) { try await $0.send(.text, bomb, rsv1: true) } == 1_009)
            #expect(
                try await code(offer) {
                    try await $0.send(.text, text, fin: false)
                    try await $0.send(.continuation, text, rsv1: true)
                } == 1_002)
        }
    }
}
