import NIOCore
import NIOWebSocket

/// A message as one whole WebSocket frame of the server (RFC 6455 section 5.2). A server's frames are not masked, so that
/// one buffer may go to many sockets.
enum TextFrame {
    /// The longest header of a frame without a mask.
    private static let longestHeader = 10
    /// FIN, and the opcode of a text frame.
    private static let first: UInt8 = 0x81
    /// RSV1: the payload is compressed (RFC 7692 section 6).
    private static let compressed: UInt8 = 0x40

    static func encode(_ message: some Encodable) -> ByteBuffer { wrap(JSON.encode(message)) }

    static func wrap(_ payload: [UInt8]) -> ByteBuffer {
        var frame = ByteBuffer()
        frame.reserveCapacity(longestHeader + payload.count)
        writeHeader(length: payload.count, first: first, to: &frame)
        frame.writeBytes(payload)
        return frame
    }

    static func write(_ payload: ByteBuffer, to frames: inout ByteBuffer, isCompressed: Bool) {
        writeHeader(length: payload.readableBytes, first: isCompressed ? first | compressed : first, to: &frames)
        frames.writeImmutableBuffer(payload)
    }

    /// A control frame (RFC 6455 section 5.5).
    ///
    /// - Parameter data: at most 125 bytes.
    static func control(_ opcode: WebSocketOpcode, _ data: ByteBuffer) -> ByteBuffer {
        var frame = ByteBuffer()
        // FIN.
        writeHeader(length: data.readableBytes, first: 0x80 | UInt8(webSocketOpcode: opcode), to: &frame)
        frame.writeImmutableBuffer(data)
        return frame
    }

    private static func writeHeader(length: Int, first: UInt8, to frame: inout ByteBuffer) {
        frame.writeInteger(first)
        switch length {
        case ..<126: frame.writeInteger(UInt8(length))
        case ...0xffff:
            frame.writeInteger(126 as UInt8)
            frame.writeInteger(UInt16(length))
        default:
            frame.writeInteger(127 as UInt8)
            frame.writeInteger(UInt64(length))
        }
    }

    /// Takes the next one of frames that `wrap` made; nil at their end.
    static func read(_ frames: inout ByteBuffer) -> (whole: ByteBuffer, payload: ByteBuffer)? {
        var whole = frames
        guard frames.readInteger(as: UInt8.self) != nil, let short = frames.readInteger(as: UInt8.self) else {
            return nil
        }
        let length: Int?
        switch short {
        case 126: length = frames.readInteger(as: UInt16.self).map(Int.init)
        case 127: length = frames.readInteger(as: UInt64.self).map(Int.init)
        default: length = Int(short)
        }
        guard let length, let payload = frames.readSlice(length: length) else { return nil }
        whole.moveWriterIndex(to: frames.readerIndex)
        return (whole, payload)
    }
}
