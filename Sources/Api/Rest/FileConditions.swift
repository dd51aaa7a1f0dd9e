import HTTPTypes
import Hummingbird

/// Conditions and ranges of requests for files (RFC 9110 sections 13 and 14), before hummingbird's middleware for files,
/// which reads only the plainest of them.
struct FileConditions: RouterMiddleware {
    typealias Context = ApiContext
    typealias Next = (Request, ApiContext) async throws -> Response

    func handle(_ request: Request, context: ApiContext, next: Next) async throws -> Response {
        switch request.method {
        case .get, .head:
            let isPlain = request.headers[.ifNoneMatch] == nil && request.headers[.range] == nil
            return try await isPlain ? next(request, context) : conditional(request, context, next)
        default:
            do {
                return try await next(request, context)
            } catch let error as HTTPError where error.status == .notFound {
                return try await refusal(of: request, context, next) ?? { throw error }()
            }
        }
    }

    /// A file has no other methods than these; nil where there is no file.
    private func refusal(of request: Request, _ context: ApiContext, _ next: Next) async throws -> Response? {
        let head = request.changed { $0.method = .head }
        guard let found = try? await next(head, context), found.headers[.eTag] != nil else { return nil }
        var response =
            request.method == .options
            ? Response(status: .noContent)
            : Problem(405, "method_not_allowed", "This address does not have that method.").response()
        response.headers[.allow] = "GET, HEAD, OPTIONS"
        return response
    }

    private func conditional(_ request: Request, _ context: ApiContext, _ next: Next) async throws -> Response {
        let unconditional = request.changed {
            // A date is not looked at where tags are named (RFC 9110 section 13.1.3).
            if $0.headerFields[.ifNoneMatch] != nil { $0.headerFields[.ifModifiedSince] = nil }
            for name: HTTPField.Name in [.ifNoneMatch, .range, .ifRange] { $0.headerFields[name] = nil }
        }
        // Nothing of a file is read before its body is written.
        let whole = try await next(unconditional, context)
        guard whole.status == .ok, let tag = whole.headers[.eTag] else { return whole }
        if let tags = request.headers.list(.ifNoneMatch) {
            if tags.contains(where: { $0 == "*" || Self.opaque($0) == Self.opaque(tag) }) {
                var response = Response(status: .notModified, headers: whole.headers)
                response.headers[.contentLength] = nil
                return response
            }
        }
        guard request.method == .get, let range = request.headers[.range],
            let size = whole.headers[.contentLength].flatMap({ Int($0) }),
            // A part of another version than the client has would be of no use (RFC 9110 section 13.1.5).
            request.headers[.ifRange].map({ $0 == whole.headers[.lastModified] || $0 == tag }) ?? true
        else { return whole }
        switch ByteRange(range, of: size) {
        case .whole: return whole
        case .part(let part):
            let range = "bytes=\(part.lowerBound)-\(part.upperBound)"
            return try await next(unconditional.changed { $0.headerFields[.range] = range }, context)
        case .unsatisfiable:
            var response = Problem(416, "range_not_satisfiable", "The file has \(size) bytes.").response()
            response.headers[.contentRange] = "bytes */\(size)"
            return response
        }
    }

    /// Without the mark of a weak one: the comparison is a weak one (RFC 9110 section 8.8.3.2).
    private static func opaque(_ tag: Substring) -> Substring { tag.hasPrefix("W/") ? tag.dropFirst(2) : tag }
    private static func opaque(_ tag: String) -> Substring { opaque(tag[...]) }
}

/// What a Range header asks of a file (RFC 9110 section 14.2). One range is served; several, or none that can be read, are
/// answered by the whole.
enum ByteRange: Equatable {
    case whole
    case part(ClosedRange<Int>)
    case unsatisfiable

    init(_ header: String, of size: Int) {
        let parts = header.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let bounds = parts.last?.split(separator: "-", omittingEmptySubsequences: false).map {
            $0.trimming { $0 == " " || $0 == "\t" }
        }
        guard parts.count == 2, parts[0].lowercased() == "bytes", let bounds, bounds.count == 2 else {
            self = .whole
            return
        }
        switch (Self.number(bounds[0]), Self.number(bounds[1])) {
        case (.value(let first), .none):
            self = first < size ? .part(first...(size - 1)) : .unsatisfiable
        case (.value(let first), .value(let last)) where first <= last:
            self = first < size ? .part(first...min(last, size - 1)) : .unsatisfiable
        // The last bytes of the file.
        case (.none, .value(let count)):
            self = count > 0 && size > 0 ? .part(max(size - count, 0)...(size - 1)) : .unsatisfiable
        default: self = .whole
        }
    }

    private enum Bound {
        case none, malformed
        case value(Int)
    }

    private static func number(_ text: Substring) -> Bound {
        if text.isEmpty { return .none }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return .malformed }
        // More digits than a number holds is past the end of any file.
        return .value(Int(text) ?? .max)
    }
}

extension Request {
    fileprivate func changed(_ change: (inout HTTPRequest) -> Void) -> Request {
        var head = head
        change(&head)
        return Request(head: head, body: body)
    }
}

extension HTTPFields {
    /// The members of a list in one or several fields (RFC 9110 section 5.6.1), entity tags with commas too; nil without one.
    fileprivate func list(_ name: HTTPField.Name) -> [Substring]? {
        let values = self[values: name]
        guard !values.isEmpty else { return nil }
        return values.flatMap { value in
            var isQuoted = false
            return value.split { letter in
                if letter == "\"" { isQuoted.toggle() }
                return letter == "," && !isQuoted
            }
        }.map { $0.trimming { $0 == " " || $0 == "\t" } }
    }
}

extension Substring {
    fileprivate func trimming(_ isBlank: (Character) -> Bool) -> Substring {
        var text = self
        while let first = text.first, isBlank(first) { text.removeFirst() }
        while let last = text.last, isBlank(last) { text.removeLast() }
        return text
    }
}
