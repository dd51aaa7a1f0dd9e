import NIOCore
import Testing
import Wire

@testable import Api

/// How a TCP stream is cut into messages.
struct TURNFrameTests {
    private static let stun: [UInt8] = [0, 1, 0, 4, 0x21, 0x12, 0xa4, 0x42] + Array(1...12) + [0, 0x24, 0, 0]
    private static let channel: [UInt8] = [0x40, 0, 0, 5, 1, 2, 3, 4, 5]

    /// Everything that comes out of `bytes`, given in parts of `step`.
    private func cut(_ bytes: [UInt8], step: Int, oversize: (() -> Void)? = nil) throws -> [[UInt8]] {
        var decoder = TURNFrameDecoder(onOversize: oversize ?? {})
        var buffer = ByteBuffer()
        var messages: [[UInt8]] = []
        for start in stride(from: 0, to: bytes.count, by: step) {
            buffer.writeBytes(bytes[start..<min(start + step, bytes.count)])
            while buffer.readableBytes > 0, let step = try decoder.next(of: &buffer) {
                if let message = step { messages.append(Array(message.readableBytesView)) }
            }
        }
        return messages
    }

    @Test(arguments: [1, 2, 3, 7, 1_000])
    func messagesAreFoundHoweverTheyCome(step: Int) throws {
        let bytes = Self.stun + Self.channel + [0, 0, 0] + Self.stun + [0x40, 1, 0, 0] + Self.channel + [9, 9, 9]
        let found = try cut(bytes, step: step)
        #expect(found == [Self.stun, Self.channel, Self.stun, [0x40, 1, 0, 0], Self.channel])
    }

    @Test func aMessageWithoutItsPaddingIsNotWhole() throws {
        #expect(try cut(Self.stun + Self.channel + [0, 0], step: 100) == [Self.stun])
    }

    @Test(arguments: [1, 3, 5_000])
    func whatNoPacketHoldsIsPassedOver(step: Int) throws {
        var count = 0
        let long: [UInt8] = [0x40, 0, 0xff, 0xff] + Array(repeating: 7, count: 65_536)
        let found = try cut(Self.stun + long + Self.stun, step: step) { count += 1 }
        #expect(found == [Self.stun, Self.stun])
        #expect(count == 1)
    }

    @Test func formerChannelsPassWhereTheyAreAllowed() throws {
        var decoder = TURNFrameDecoder(channelNumbers: ChannelData.formerNumbers)
        var buffer = ByteBuffer(bytes: Self.stun + [0x7f, 0xff, 0, 4, 1, 2, 3, 4, 0x80, 0, 0, 0])
        #expect(try decoder.next(of: &buffer) == ByteBuffer(bytes: Self.stun))
        #expect(try decoder.next(of: &buffer) == ByteBuffer(bytes: [0x7f, 0xff, 0, 4, 1, 2, 3, 4]))
        #expect(throws: TURNFrameDecoder.OutOfStep.self) { try decoder.next(of: &buffer) }
    }

    @Test(
        arguments: [
            [0x80, 0, 0, 0], [0xff, 0xff, 0xff, 0xff], Array("GET / HTTP/1.1\r\n".utf8),
            // Channels have numbers below 0x5000, and come after a request.
            TURNFrameTests.stun + [0x50, 0, 0, 0], [0x40, 0, 0, 0],
            // Attributes are padded, and no request is that long.
            [0, 1, 0, 3], [0, 1, 0x40, 0],
        ] as [[UInt8]])
    func whatIsNoTURNEndsTheConnection(bytes: [UInt8]) {
        #expect(throws: TURNFrameDecoder.OutOfStep.self) { try cut(bytes, step: 100) }
    }
}
