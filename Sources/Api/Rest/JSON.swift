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

    /// As PoPs speak it to each other: names of fields as the type's coding keys say them, in one order.
    static func encodeExactly(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        guard let data = try? encoder.encode(value) else { return Array("{}".utf8) }
        return Array(data)
    }

    /// Names of fields are those of the wire, so that an error has them too.
    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: some Sequence<UInt8>) throws -> Value {
        let decoder = JSONDecoder()
        return try decoder.decode(type, from: Data(bytes))
    }

    /// Names the field that was wrong, never its value.
    static func complaint(_ error: any Error) -> String {
        func name(_ path: [any CodingKey]) -> String {
            path.map { key in key.intValue.map { "\($0)" } ?? key.stringValue }.joined(separator: ".")
        }
        return switch error {
        case DecodingError.keyNotFound(let key, let context):
            "The field \(name(context.codingPath + [key])) is missing."
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            context.codingPath.isEmpty
                ? "A JSON object is expected." : "The field \(name(context.codingPath)) has the wrong type."
        case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
            "The field \(name(context.codingPath)) has an unknown value."
        default: "This is not JSON."
        }
    }
}

/// A body of a call. Its coding keys are the names on the wire.
protocol CallBody: Decodable {
    associatedtype CodingKeys: CodingKey & CaseIterable
}

/// A body with no fields but its own: a misspelt one would be passed over, and a meeting be without its password.
struct Strict<Body: CallBody>: Decodable {
    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    let body: Body

    init(from decoder: any Decoder) throws {
        let known = Set(Body.CodingKeys.allCases.map(\.stringValue))
        let given = try decoder.container(keyedBy: Name.self).allKeys.map(\.stringValue)
        if let unknown = given.filter({ !known.contains($0) }).min() {
            throw UnknownField(name: (decoder.codingPath.map(\.stringValue) + [unknown]).joined(separator: "."))
        }
        body = try Body(from: decoder)
    }
}

struct UnknownField: Error {
    /// With those of the objects around it; the first 100 characters.
    let name: String

    init(name: String) { self.name = String(name.prefix(100)) }
}

/// Any value, which is not kept.
struct Ignored: Decodable {
    init(from decoder: any Decoder) {}
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
    func json<Body: CallBody>(_ type: Body.Type) async throws -> Body {
        let buffer: ByteBuffer
        do {
            buffer = try await body.collect(upTo: ApiConfiguration.bodyLimit)
        } catch is NIOTooManyBytesError {
            throw Problem.bodyTooLarge
        }
        do {
            let bytes = Array(buffer.readableBytesView)
            return try JSON.decode(Strict<Body>.self, from: bytes.isEmpty ? Array("{}".utf8) : bytes).body
        } catch let error as UnknownField {
            throw Problem(400, "unknown_field", "There is no field \(error.name) here.")
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
