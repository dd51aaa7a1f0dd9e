import CZlib
import NIOCore
import NIOPosix

/// Makes messages of WebSockets smaller, and whole again (RFC 7692 section 7.2). Each message stands alone, so that all
/// sockets of an event loop share one.
final class MessageCompressor {
    enum Fault: Error {
        /// Longer than the limit.
        case tooLong
        /// No DEFLATE data (RFC 1951).
        case malformed
    }

    /// Of zlib's levels the fastest: descriptions of sessions repeat their lines, and the better ones hardly gain.
    private static let level: Int32 = 1
    /// The empty block that ends each message and is left out (RFC 7692 section 7.2.1).
    private static let tail: [UInt8] = [0x00, 0x00, 0xff, 0xff]

    // Safe, as each thread sees only its own.
    nonisolated(unsafe) private static let shared = ThreadSpecificVariable<MessageCompressor>()

    /// The calling event loop's own.
    static var ofThisThread: MessageCompressor {
        if let known = shared.currentValue { return known }
        let made = MessageCompressor()
        shared.currentValue = made
        return made
    }

    // zlib's state points back to them.
    private let deflating = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let inflating = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    init() {
        deflating.initialize(to: z_stream())
        inflating.initialize(to: z_stream())
        precondition(needletail_deflate_init(deflating, Self.level) == Z_OK, "zlib has no memory")
        precondition(needletail_inflate_init(inflating) == Z_OK, "zlib has no memory")
    }

    deinit {
        deflateEnd(deflating)
        inflateEnd(inflating)
        deflating.deallocate()
        inflating.deallocate()
    }

    /// RFC 7692 section 7.2.1.
    func compress(_ message: ByteBufferView) -> ByteBuffer {
        deflateReset(deflating)
        // What a flush needs comes to the bound of zlib.
        let bound = Int(deflateBound(deflating, UInt(message.count))) + 16
        var compressed = ByteBuffer()
        message.withUnsafeBytes { input in
            _ = compressed.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { output in
                run(deflating, from: input, to: output) { deflate($0, Z_SYNC_FLUSH) }.written
            }
        }
        compressed.moveWriterIndex(to: compressed.writerIndex - Self.tail.count)
        return compressed
    }

    /// RFC 7692 section 7.2.2.
    ///
    /// - Parameter limit: of the whole message, in bytes.
    func decompress(_ compressed: ByteBufferView, limit: Int) throws(Fault) -> ByteBuffer {
        inflateReset(inflating)
        var message = ByteBuffer()
        let input = [UInt8](compressed) + Self.tail
        var position = 0
        while true {
            var status = Z_OK
            input[position...].withUnsafeBytes { rest in
                let room = min(max(4 * input.count, 4_096), limit + 1 - message.readableBytes)
                _ = message.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { output in
                    let step = run(inflating, from: rest, to: .init(rebasing: output.prefix(room))) {
                        status = inflate($0, Z_SYNC_FLUSH)
                        return status
                    }
                    position += step.read
                    return step.written
                }
            }
            guard message.readableBytes <= limit else { throw .tooLong }
            switch status {
            // A last block may end the data, with nothing but empty blocks behind it (RFC 7692 section 7.2.3.4).
            case Z_STREAM_END where input.count - position <= Self.tail.count + 1: return message
            // Nothing is left to read, and nothing that waits to be written.
            case Z_OK, Z_BUF_ERROR:
                if position == input.count, inflating.pointee.avail_out > 0 { return message }
            default: throw .malformed
            }
        }
    }

    private func run(
        _ stream: UnsafeMutablePointer<z_stream>, from input: UnsafeRawBufferPointer,
        to output: UnsafeMutableRawBufferPointer,
        _ step: (UnsafeMutablePointer<z_stream>) -> Int32
    ) -> (read: Int, written: Int) {
        stream.pointee.next_in = input.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_in = UInt32(input.count)
        stream.pointee.next_out = output.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_out = UInt32(output.count)
        _ = step(stream)
        return (input.count - Int(stream.pointee.avail_in), output.count - Int(stream.pointee.avail_out))
    }
}
