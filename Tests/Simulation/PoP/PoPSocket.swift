import NIOCore
import NIOWebSocket
import Synchronization

@testable import Api

/// The server's end of a simulated socket: keeps the messages until the client reads them.
final class PoPSocket: SignalingSocket {
    private struct State {
        var bytes = ByteBuffer()
        var isClosing = false
    }

    private let state = Mutex(State())

    var isClosing: Bool { state.withLock { $0.isClosing } }

    func markJoined() {}

    func send(_ frames: ByteBuffer) {
        state.withLock { state in
            if !state.isClosing { state.bytes.writeImmutableBuffer(frames) }
        }
    }

    func close(_ code: WebSocketErrorCode, _ reason: String) { state.withLock { $0.isClosing = true } }

    /// The payload of the oldest text frame (RFC 6455 section 5.2).
    func next() -> [UInt8]? {
        state.withLock { state in
            guard state.bytes.readInteger(as: UInt8.self) == 0x81,
                let short = state.bytes.readInteger(as: UInt8.self)
            else { return nil }
            let length =
                switch short {
                case 126: state.bytes.readInteger(as: UInt16.self).map(Int.init)
                case 127: state.bytes.readInteger(as: UInt64.self).map { Int($0) }
                default: Int(short)
                }
            return length.flatMap { state.bytes.readBytes(length: $0) }
        }
    }
}
