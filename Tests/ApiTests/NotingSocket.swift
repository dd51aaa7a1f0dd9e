import NIOCore
import NIOWebSocket
import Synchronization

@testable import Api

/// A socket that notes each write.
final class NotingSocket: SignalingSocket {
    private let written = Mutex<[String]>([])

    var isClosing: Bool { false }
    func markJoined() {}
    func close(_ code: WebSocketErrorCode, _ reason: String) {}

    /// Each frame is noted as what it carries, and a blank.
    func send(_ frames: ByteBuffer) {
        var rest = frames
        var text = ""
        while let payload = Self.takePayload(&rest) { text += payload + " " }
        written.withLock { $0.append(text) }
    }

    /// What was written since the last time.
    func take() -> [String] {
        written.withLock { written in
            defer { written = [] }
            return written
        }
    }

    private static func takePayload(_ frames: inout ByteBuffer) -> String? {
        guard let header = frames.readBytes(length: 2) else { return nil }
        let count: Int? =
            switch header[1] {
            case 126: frames.readInteger(as: UInt16.self).map { Int($0) }
            case 127: frames.readInteger(as: UInt64.self).map { Int($0) }
            default: Int(header[1])
            }
        return count.flatMap { frames.readString(length: $0) }
    }
}
