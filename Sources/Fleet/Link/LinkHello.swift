import Foundation

/// The first frame of each side: who it is, and which versions of the protocol it speaks.
public struct LinkHello: Hashable, Sendable {
    public var versions: ClosedRange<Int>
    public var fleet: String
    public var pop: PoPInstance
    /// The sender's clock, ms since 1970, by which the peer can tell that clocks differ.
    public var clock: Int64

    public init(
        fleet: String, pop: PoPInstance, clock: Int64 = 0, versions: ClosedRange<Int> = LinkPolicy.versions
    ) {
        self.versions = versions
        self.fleet = fleet
        self.pop = pop
        self.clock = clock
    }

    /// The highest version that both speak.
    public func agree(with peer: LinkHello) throws(LinkFailure) -> Int {
        guard peer.fleet == fleet else { throw .otherFleet(peer.fleet) }
        guard peer.pop.name != pop.name else { throw .ownName }
        guard peer.versions.overlaps(versions) else { throw .version(ours: versions, theirs: peer.versions) }
        return min(versions.upperBound, peer.versions.upperBound)
    }
}

/// The form on the wire, JSON: fields that a version does not know are passed over.
extension LinkHello {
    private struct Fields: Codable {
        var lowest: Int
        var highest: Int
        var fleet: String
        var pop: String
        /// In hexadecimal: JSON's numbers end at 2^53.
        var instance: String
        var clock: Int64
    }

    public var frame: LinkFrame {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let fields = Fields(
            lowest: versions.lowerBound, highest: versions.upperBound, fleet: fleet, pop: pop.name.rawValue,
            instance: String(pop.instance, radix: 16), clock: clock)
        // Texts and numbers can always be encoded.
        let body = (try? encoder.encode(fields)) ?? Data()
        return LinkFrame(type: LinkMessage.Kind.hello.rawValue, body: [UInt8](body))
    }

    public init(_ frame: LinkFrame) throws(LinkFailure) {
        guard frame.type == LinkMessage.Kind.hello.rawValue else { throw .malformed("no hello") }
        guard BoundedJSON.isShallow(frame.body),
            let fields = try? JSONDecoder().decode(Fields.self, from: Data(frame.body)),
            let name = PoPName(fields.pop), let instance = UInt64(fields.instance, radix: 16),
            (1...64).contains(fields.fleet.utf8.count), fields.lowest >= 1, fields.lowest <= fields.highest,
            fields.highest <= 65_535
        else { throw .malformed("hello") }
        self.init(
            fleet: fields.fleet, pop: PoPInstance(name: name, instance: instance), clock: fields.clock,
            versions: fields.lowest...fields.highest)
    }
}

/// What is asked of JSON from outside before a parser, which recurses, sees it.
public enum BoundedJSON {
    /// Whether arrays and objects are nested at most `LinkPolicy.depthLimit` deep; whether it is JSON is left to the parser.
    public static func isShallow(_ json: [UInt8], limit: Int = LinkPolicy.depthLimit) -> Bool {
        var depth = 0
        var isText = false
        var isEscaped = false
        for byte in json {
            if isEscaped {
                isEscaped = false
            } else if isText {
                isEscaped = byte == UInt8(ascii: "\\")
                isText = byte != UInt8(ascii: "\"")
            } else {
                switch byte {
                case UInt8(ascii: "\""): isText = true
                case UInt8(ascii: "["), UInt8(ascii: "{"):
                    depth += 1
                    if depth > limit { return false }
                case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
                default: break
                }
            }
        }
        return true
    }

    public static func decode<Value: Decodable>(_: Value.Type = Value.self, _ json: [UInt8]) -> Value? {
        guard json.count <= LinkPolicy.frameLimit, isShallow(json) else { return nil }
        return try? JSONDecoder().decode(Value.self, from: Data(json))
    }
}
