import NIOCore
import NIOWebSocket

/// The server's end of one signaling socket. Anybody may send from anywhere; nobody waits for the reader.
protocol SignalingSocket: AnyObject, Sendable {
    /// Whether either side ended the connection: nothing more is sent.
    var isClosing: Bool { get }

    /// The peer is a participant now.
    func markJoined()

    /// Sends whole frames in one write.
    func send(_ frames: ByteBuffer)

    /// Begins the closing handshake (RFC 6455 section 7.1.2) behind what was sent.
    func close(_ code: WebSocketErrorCode, _ reason: String)

    /// Closes a socket that says too much.
    func closeFlood(_ reason: String)
}

extension SignalingSocket {
    func closeFlood(_ reason: String) { close(.policyViolation, reason) }

    func send(_ message: some Encodable) { send(TextFrame.encode(message)) }
}

extension WebSocketErrorCode {
    /// Of our own (RFC 6455 section 7.4.2): another socket has the participant's place.
    static let replaced = WebSocketErrorCode.unknown(4_001)
    /// Likewise: without media, its place went to another participant.
    static let placeTaken = WebSocketErrorCode.unknown(4_002)
}
