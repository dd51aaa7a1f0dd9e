import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1

/// The client's opening handshake of a WebSocket (RFC 6455 section 4.2.1).
enum Handshake {
    private static let version = "13"

    /// Whether a request may become a WebSocket.
    static func isValid(_ head: HTTPRequestHead) -> Bool {
        let fields = head.headers
        func names(_ header: String, _ word: String) -> Bool {
            fields[canonicalForm: header].contains { $0.lowercased() == word }
        }
        let hasBody =
            fields.contains(name: "Transfer-Encoding") || (fields.first(name: "Content-Length") ?? "0") != "0"
        return head.method == .GET && head.version == .http1_1 && !hasBody && fields.contains(name: "Host")
            && names("Upgrade", "websocket") && names("Connection", "upgrade")
            && fields["Sec-WebSocket-Version"] == [version]
            && fields["Sec-WebSocket-Key"].count == 1 && fields["Sec-WebSocket-Key"].allSatisfy(isKey)
    }

    private static func isKey(_ text: String) -> Bool { Data(base64Encoded: text)?.count == 16 }

    /// What a request that is none is told.
    static func refusal(keys: [String], versions: [String]) -> (problem: Problem, fields: HTTPFields) {
        if versions == [version], keys.count != 1 || !keys.allSatisfy(isKey) {
            let problem = Problem.malformed("The Sec-WebSocket-Key is 16 bytes in base64.")
            return (problem, problem.fields)
        }
        let problem = Problem(
            426, "upgrade_required",
            versions.isEmpty || versions == [version]
                ? "This is a WebSocket; begin a connection with it." : "The Sec-WebSocket-Version is \(version).")
        var fields = problem.fields
        // RFC 9110 section 15.5.22, RFC 6455 section 4.2.2.
        fields[.upgrade] = "websocket"
        fields[.connection] = "upgrade"
        fields[.secWebSocketVersion] = version
        return (problem, fields)
    }

    static func refusal(of request: Request) -> Response {
        let (problem, fields) = refusal(
            keys: request.headers[values: .secWebSocketKey], versions: request.headers[values: .secWebSocketVersion])
        return Response(status: problem.status, headers: fields, body: ResponseBody(byteBuffer: problem.body))
    }
}

/// Refuses a connection's first request where it is for the socket and no handshake, or a foreign page's: swift-nio's decoder reads nothing
/// behind one that asks for another protocol, and its upgrader loses one that none of its protocols takes.
final class HandshakeGuard: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let origins: Origins

    init(_ origins: Origins) { self.origins = origins }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Only of a request that was refused: behind any other this one is not here any more.
        guard case .head(let head) = unwrapInboundIn(data) else { return }
        if head.method == .GET, head.uri.prefix(while: { $0 != "?" }) == SignalingChannel.path {
            if case .foreign = origins.verdict(of: head) {
                return refuse(context, (.foreignOrigin, Problem.foreignOrigin.fields))
            }
            guard Handshake.isValid(head) else {
                let (keys, versions) = (head.headers["Sec-WebSocket-Key"], head.headers["Sec-WebSocket-Version"])
                return refuse(context, Handshake.refusal(keys: keys, versions: versions))
            }
        }
        context.fireChannelRead(data)
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    private func refuse(_ context: ChannelHandlerContext, _ refusal: (problem: Problem, fields: HTTPFields)) {
        let (problem, fields) = refusal
        let body = problem.body
        var head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: problem.status.code), headers: HTTPHeaders(fields)
        )
        head.headers.add(name: "Connection", value: "close")
        head.headers.add(name: "Content-Length", value: "\(body.readableBytes)")
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.close(promise: nil)
    }
}

/// Hides the header Upgrade of all requests but those for the socket (RFC 9110 section 7.8: a server may ignore it). Behind
/// a request with that header swift-nio's decoder takes all that follows for another protocol's, and keeps it.
///
/// A body with a line of that name changes too: no call takes one.
final class UpgradeMask: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private static let line = Array("\nupgrade".utf8)
    private static let socket = Array("GET \(SignalingChannel.path)".utf8)

    /// Of the first request, while that may be one for the socket.
    private var beginning: ByteBuffer?
    /// So many letters of `line` came last.
    private var matched = 0

    /// - Parameter sparesSocket: lets a request through that is for the socket, and what follows it.
    init(sparesSocket: Bool) { beginning = sparesSocket ? ByteBuffer() : nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if var first = beginning {
            first.writeBuffer(&bytes)
            guard let isForSocket = Self.isForSocket(first) else {
                beginning = first
                return
            }
            beginning = nil
            if isForSocket {
                context.fireChannelRead(wrapInboundOut(first))
                return context.pipeline.syncOperations.removeHandler(self, promise: nil)
            }
            bytes = first
        }
        mask(&bytes)
        context.fireChannelRead(wrapInboundOut(bytes))
    }

    /// Nil while too little has come.
    private static func isForSocket(_ bytes: ByteBuffer) -> Bool? {
        let view = bytes.readableBytesView
        guard view.starts(with: socket.prefix(view.count)) else { return false }
        guard view.count > socket.count else { return nil }
        let next = view[view.startIndex + socket.count]
        return next == UInt8(ascii: " ") || next == UInt8(ascii: "?")
    }

    private func mask(_ bytes: inout ByteBuffer) {
        bytes.withUnsafeMutableReadableBytes { bytes in
            for index in bytes.indices {
                if bytes[index] == Self.line[0] {
                    matched = 1
                } else if matched > 0 {
                    matched = bytes[index] | 0x20 == Self.line[matched] ? matched + 1 : 0
                    if matched == Self.line.count {
                        bytes[index] = UInt8(ascii: "_")
                        matched = 0
                    }
                }
            }
        }
    }
}
