import NIOCore
import NIOEmbedded
import NIOWebSocket
import Testing

@testable import Api

/// What waits for a reader that does not read.
@Suite struct WaitingFrames {
    /// Takes writes as a socket does whose peer does not read.
    private final class StalledNetwork: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer

        private(set) var writes: [[UInt8]] = []
        private var promises: [EventLoopPromise<Void>] = []

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            writes.append(Array(unwrapOutboundIn(data).readableBytesView))
            if let promise { promises.append(promise) }
        }

        /// The peer reads all that was written so far.
        func take() {
            let taken = promises
            promises = []
            for promise in taken { promise.succeed() }
        }
    }

    private let network = StalledNetwork()
    private let writer = FrameWriter(limit: 100)
    private let channel = EmbeddedChannel()

    init() throws {
        try channel.pipeline.syncOperations.addHandlers(network, writer)
    }

    @Test func oneWriteIsUnderWayAndTheOthersAreOneBehindIt() {
        for word in ["a", "b", "c"] { #expect(writer.write(ByteBuffer(string: word))) }
        #expect(network.writes == [[0x61]])
        network.take()
        #expect(network.writes == [[0x61], [0x62, 0x63]])
        network.take()
        #expect(writer.backlog == 0)
        #expect(writer.write(ByteBuffer(string: "d")))
        #expect(network.writes == [[0x61], [0x62, 0x63], [0x64]])
    }

    @Test func moreThanTheLimitDoesNotWait() {
        #expect(writer.write(ByteBuffer(repeating: 1, count: 60)))
        #expect(writer.write(ByteBuffer(repeating: 1, count: 40)))
        #expect(!writer.write(ByteBuffer(repeating: 1, count: 1)))
        #expect(writer.backlog == 100)
        network.take()
        #expect(writer.write(ByteBuffer(repeating: 1, count: 60)))
    }

    @Test func ofAnyNumberOfPingsTheLatestIsAnswered() {
        for number in 0..<100_000 { writer.pong(ByteBuffer(integer: UInt32(number), as: UInt32.self)) }
        writer.ping()
        writer.ping()
        #expect(network.writes == [[0x8a, 4, 0, 0, 0, 0]])
        #expect(writer.backlog == 6 + 4)
        network.take()
        // 99,999, and one ping of ours.
        #expect(network.writes.last == [0x8a, 4, 0x00, 0x01, 0x86, 0x9f, 0x89, 0])
        network.take()
        #expect(network.writes.count == 2)
    }

    @Test func nothingFollowsAClose() {
        #expect(writer.write(ByteBuffer(string: "a")))
        #expect(writer.write(ByteBuffer(string: "b")))
        writer.pong(ByteBuffer())
        writer.finish(ByteBuffer(string: "xy"))
        #expect(network.writes == [[0x61], [0x62, 0x88, 2, 0x78, 0x79]])
        #expect(writer.write(ByteBuffer(string: "c")))
        writer.ping()
        network.take()
        #expect(network.writes.count == 2)
    }
}
