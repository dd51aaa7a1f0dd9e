import NIOCore
import NIOHTTP1

/// What RFC 9112 asks of a server that neither swift-nio nor hummingbird do: it refuses a request without one valid Host
/// (section 3.2), and ends a connection behind the last request, however the client said so (section 9.3).
final class HTTP1Rules: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Persistence {
        /// As HTTP/1.1 has it.
        case usual
        /// An HTTP/1.0 client is told that it goes on.
        case said
        case last
    }

    /// Of the requests that have no answer yet, the oldest first.
    private var waiting: [Persistence] = []
    private var isInLast = false
    /// Nothing that comes is for anybody.
    private var isOver = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isOver { return }
        switch unwrapInboundIn(data) {
        case .head(var head):
            guard HostField.isValid(in: head) else {
                isOver = true
                // Answered in its turn, as all that is malformed.
                return context.fireErrorCaught(HTTPParserError.invalidHeaderToken)
            }
            if SignalingChannel.isOpened(by: head) {
                context.fireChannelRead(wrapInboundOut(.head(head)))
                // What follows is none of HTTP.
                return context.pipeline.syncOperations.removeHandler(self, promise: nil)
            }
            // RFC 9110 section 10.1.1.
            if head.isOld { head.headers.remove(name: "Expect") }
            let persistence = Self.persistence(of: head)
            waiting.append(persistence)
            isInLast = persistence == .last
            // Hummingbird knows this spelling.
            if isInLast { head.headers.replaceOrAdd(name: "Connection", value: "close") }
            context.fireChannelRead(wrapInboundOut(.head(head)))
        case .body: context.fireChannelRead(data)
        case .end:
            isOver = isInLast
            context.fireChannelRead(data)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !isOver { context.fireErrorCaught(error) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .head(var head) = unwrapOutboundIn(data), head.status.code >= 200, !waiting.isEmpty else {
            return context.write(data, promise: promise)
        }
        switch waiting.removeFirst() {
        case .usual: break
        case .said:
            if !head.headers.contains(name: "Connection") { head.headers.add(name: "Connection", value: "keep-alive") }
        case .last: head.headers.replaceOrAdd(name: "Connection", value: "close")
        }
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }

    private static func persistence(of head: HTTPRequestHead) -> Persistence {
        let options = head.headers[canonicalForm: "Connection"].map { $0.lowercased() }
        if options.contains("close") { return .last }
        if !head.isOld { return .usual }
        return options.contains("keep-alive") ? .said : .last
    }
}

/// The field Host (RFC 9110 section 7.2).
enum HostField {
    /// One that is valid; HTTP/1.0 knows none.
    static func isValid(in head: HTTPRequestHead) -> Bool {
        let values = head.headers["Host"]
        return values.isEmpty ? head.isOld : values.count == 1 && isValid(values[0])
    }

    /// Whether it is `uri-host [ ":" port ]` (RFC 3986 section 3.2.2); empty where the target has no host.
    static func isValid(_ text: String) -> Bool {
        var rest = text.utf8[...]
        if rest.first == UInt8(ascii: "[") {
            guard let end = rest.firstIndex(of: UInt8(ascii: "]")) else { return false }
            let literal = rest[rest.index(after: rest.startIndex)..<end]
            guard !literal.isEmpty, literal.allSatisfy({ isLiteral($0) }) else { return false }
            rest = rest[rest.index(after: end)...]
        } else {
            rest = rest[(rest.firstIndex { !isName($0) } ?? rest.endIndex)...]
        }
        guard let colon = rest.first else { return true }
        let port = rest.dropFirst()
        return colon == UInt8(ascii: ":") && port.count <= 5 && port.allSatisfy { isDigit($0) }
            && (port.isEmpty || Int(Substring(port)).map { $0 <= 65_535 } == true)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    /// Unreserved, or of the sub-delimiters, or of an escape.
    private static func isName(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || "-._~!$&'()*+,;=%".utf8.contains(byte)
    }

    /// IPv6, or an address to come: `v1.a:b`.
    private static func isLiteral(_ byte: UInt8) -> Bool { isName(byte) && byte != 0x25 || byte == UInt8(ascii: ":") }
}

extension HTTPRequestHead {
    /// Of a client from before HTTP/1.1.
    fileprivate var isOld: Bool { version == .http1_0 || version == .http0_9 }
}
