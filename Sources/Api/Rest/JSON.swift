import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

/// JSON as the API speaks it: snake_case.
enum JSON {
    static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.withoutEscapingSlashes]
        // Our own values are plain structs of strings and numbers: they always encode.
        guard let data = try? encoder.encode(value) else { return Array("{}".utf8) }
        return Array(data)
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: some Sequence<UInt8>) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: Data(bytes))
    }

    /// Names the field that was wrong, never its value.
    static func complaint(_ error: any Error) -> String {
        func name(_ path: [any CodingKey]) -> String { path.map(\.stringValue).joined(separator: ".") }
        return switch error {
        case DecodingError.keyNotFound(let key, _): "The field \(key.stringValue) is missing."
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            context.codingPath.isEmpty
                ? "A JSON object is expected." : "The field \(name(context.codingPath)) has the wrong type."
        case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
            "The field \(name(context.codingPath)) has an unknown value."
        default: "This is not JSON."
        }
    }
}

extension Response {
    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: JSON.encode(value))))
    }

    static var noContent: Response { Response(status: .noContent) }
}

extension Request {
    /// The body as JSON; an empty body reads as an empty object.
    ///
    /// - Throws: `Problem` 413 above 64 KiB, 400 where it is not what the call takes.
    func json<Body: Decodable>(_ type: Body.Type) async throws -> Body {
        let buffer: ByteBuffer
        do {
            buffer = try await body.collect(upTo: ApiConfiguration.bodyLimit)
        } catch is NIOTooManyBytesError {
            throw Problem(413, "too_large", "A body has at most 64 KiB.")
        }
        do {
            let bytes = Array(buffer.readableBytesView)
            return try JSON.decode(type, from: bytes.isEmpty ? Array("{}".utf8) : bytes)
        } catch {
            throw Problem.malformed(JSON.complaint(error))
        }
    }

    /// The credentials of the Authorization header.
    ///
    /// - Throws: `Problem` 401.
    func bearer() throws -> String {
        guard let header = headers[.authorization] else {
            throw Problem.unauthorized("token_missing", "This call needs an Authorization header.")
        }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw Problem.unauthorized("token_invalid", "This call takes a bearer token.")
        }
        return String(parts[1])
    }
}
