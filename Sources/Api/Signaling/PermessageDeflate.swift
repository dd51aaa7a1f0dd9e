import NIOCore
import NIOHTTP1

/// The compression of WebSockets (RFC 7692), which an opening handshake may agree on. Offers and answers shrink to a tenth,
/// and so fit into TCP's first window: at a long round trip that is what joining waits for.
enum PermessageDeflate {
    private static let header = "Sec-WebSocket-Extensions"

    /// Shorter messages leave in one or two segments anyway.
    static let threshold = 1_400

    /// What is agreed on, in the words of the answer: every message stands alone, so that no socket keeps a window.
    private static let agreement = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

    /// The headers that accept one of the client's offers; none if there is no offer that we understand.
    static func answer(to request: HTTPHeaders) -> HTTPHeaders {
        isOffered(in: request) ? [header: agreement] : [:]
    }

    static func isOffered(in request: HTTPHeaders) -> Bool {
        request[header].contains { value in value.split(separator: ",").contains(where: isAcceptable) }
    }

    /// An offer with a parameter that is unknown, wrong or repeated must be declined (RFC 7692 section 7.1); one that
    /// wants a smaller window of ours may be.
    private static func isAcceptable(_ offer: Substring) -> Bool {
        let words = offer.split(separator: ";", omittingEmptySubsequences: false).map(trimmed)
        guard words.first == "permessage-deflate" else { return false }
        var known: Set<String> = []
        return words.dropFirst().allSatisfy { word in
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(trimmed)
            guard known.insert(parts[0]).inserted else { return false }
            let value = parts.count > 1 ? parts[1].filter { $0 != "\"" } : nil
            return switch parts[0] {
            case "server_no_context_takeover", "client_no_context_takeover": value == nil
            case "client_max_window_bits": value.map(isWindow) ?? true
            case "server_max_window_bits": value == "15"
            default: false
            }
        }
    }

    private static func isWindow(_ value: String) -> Bool { (8...15).contains { "\($0)" == value } }

    private static func trimmed(_ word: Substring) -> String {
        String(word.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
            .lowercased()
    }

    /// Frames of ours, the long ones compressed. On an event loop.
    static func compress(_ frames: ByteBuffer) -> ByteBuffer {
        guard frames.readableBytes >= threshold else { return frames }
        var rest = frames
        var compressed = ByteBuffer()
        while let frame = TextFrame.read(&rest) {
            if frame.payload.readableBytes < threshold {
                compressed.writeImmutableBuffer(frame.whole)
            } else {
                let payload = MessageCompressor.ofThisThread.compress(frame.payload.readableBytesView)
                TextFrame.write(payload, to: &compressed, isCompressed: true)
            }
        }
        return compressed
    }
}
