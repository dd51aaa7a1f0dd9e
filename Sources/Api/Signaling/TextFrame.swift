import NIOCore

/// A message as one whole WebSocket frame of the server (RFC 6455 section 5.2). A server's frames are not masked, so that
/// one buffer may go to many sockets.
enum TextFrame {
    /// The longest header of a frame without a mask.
    private static let longestHeader = 10

    static func encode(_ message: some Encodable) -> ByteBuffer { wrap(JSON.encode(message)) }

    static func wrap(_ payload: [UInt8]) -> ByteBuffer {
        var frame = ByteBuffer()
        frame.reserveCapacity(longestHeader + payload.count)
        // FIN, and the opcode of a text frame.
        frame.writeInteger(0x81 as UInt8)
        switch payload.count {
        case ..<126: frame.writeInteger(UInt8(payload.count))
        case ...0xffff:
            frame.writeInteger(126 as UInt8)
            frame.writeInteger(UInt16(payload.count))
        default:
            frame.writeInteger(127 as UInt8)
            frame.writeInteger(UInt64(payload.count))
        }
        frame.writeBytes(payload)
        return frame
    }
}
