import Mailbox
import NIOCore
import Wire

/// Cuts a TCP or TLS stream into STUN messages (RFC 8489 section 6.2.2) and ChannelData messages (RFC 8656 section 12.5),
/// the latter without their padding.
struct TURNFrameDecoder: ByteToMessageDecoder {
    typealias InboundOut = ByteBuffer

    /// The stream is not TURN, or does not keep to its lengths; there is no way back into step.
    struct OutOfStep: Error {}

    /// Told of each message that is passed over, as no packet holds it.
    let onOversize: () -> Void
    private let channelNumbers: ClosedRange<UInt16>
    /// Bytes still to come of such a message.
    private var excess = 0
    private var hasBegun = false

    init(channelNumbers: ClosedRange<UInt16> = ChannelData.numbers, onOversize: @escaping () -> Void = {}) {
        self.channelNumbers = channelNumbers
        self.onOversize = onOversize
    }

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        switch try next(of: &buffer) {
        case nil: return .needMoreData
        case .some(nil): return .continue
        case .some(let message?):
            context.fireChannelRead(wrapInboundOut(message))
            return .continue
        }
    }

    /// What is left when the stream ends is no message.
    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        try decode(context: context, buffer: &buffer)
    }

    /// The next message; `.some(nil)` for one that was passed over, nil when more must come.
    mutating func next(of buffer: inout ByteBuffer) throws -> ByteBuffer?? {
        if excess > 0 {
            let passed = min(excess, buffer.readableBytes)
            buffer.moveReaderIndex(forwardBy: passed)
            excess -= passed
            return passed == 0 ? nil : .some(nil)
        }
        guard buffer.readableBytes >= 4, let type: UInt16 = buffer.getInteger(at: buffer.readerIndex),
            let length: UInt16 = buffer.getInteger(at: buffer.readerIndex + 2)
        else { return nil }
        let count: Int
        let padded: Int
        switch type {
        case 0...0x3fff:
            // All attributes are padded: so is the length.
            guard length & 3 == 0 else { throw OutOfStep() }
            count = 20 + Int(length)
            padded = count
        // Nobody has a channel before his first request; "GET " could be one.
        case channelNumbers where hasBegun:
            count = 4 + Int(length)
            padded = (count + 3) & ~3
        default: throw OutOfStep()
        }
        guard count <= TURNStreamMessage.capacity else {
            // No client sends requests of that size.
            guard type >= 0x4000 else { throw OutOfStep() }
            excess = padded
            onOversize()
            return try next(of: &buffer)
        }
        hasBegun = true
        guard buffer.readableBytes >= padded, let message = buffer.readSlice(length: count) else { return nil }
        buffer.moveReaderIndex(forwardBy: padded - count)
        return message
    }
}
