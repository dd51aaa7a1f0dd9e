import Wire

/// What a participant's session publishes, as other PoPs need to know it to take it over a Lane.
public struct Publication: Sendable, Equatable {
    /// What one of them is.
    public struct Source: Sendable, Equatable {
        /// Which of the participant's: microphone 0, a second sound 1, camera 2, screen 3.
        public var role: UInt8
        public var codec: Codec
        /// How many encodings there are; 1 to 3.
        public var layers: UInt8

        public init(role: UInt8, codec: Codec, layers: UInt8) {
            self.role = role
            self.codec = codec
            self.layers = layers
        }
    }

    /// Tells the publication of a session from those before and after it.
    public var id: UInt64
    /// The worker of the session at its PoP.
    public var worker: UInt8
    /// By role, each at most once.
    public var sources: [Source]

    /// Of an empty one, of somebody who publishes nothing.
    public init(id: UInt64 = 0, worker: UInt8 = 0, sources: [Source] = []) {
        self.id = id
        self.worker = worker
        self.sources = sources
    }

    func source(_ role: SourceRole) -> Source? { sources.first { $0.role == role.rawValue } }
}

/// JSON; what no session publishes is refused.
extension Publication: Codable {
    private enum CodingKeys: String, CodingKey {
        case id, worker, sources
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(UInt64.self, forKey: .id)
        worker = try container.decode(UInt8.self, forKey: .worker)
        sources = []
        var list = try container.nestedUnkeyedContainer(forKey: .sources)
        while !list.isAtEnd {
            let source = try list.decode(Source.self)
            guard sources.last.map({ $0.role < source.role }) ?? true else {
                throw DecodingError.dataCorruptedError(in: list, debugDescription: "roles do not rise")
            }
            sources.append(source)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(worker, forKey: .worker)
        try container.encode(sources, forKey: .sources)
    }
}

extension Publication.Source: Codable {
    private enum CodingKeys: String, CodingKey {
        case role, codec, layers
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let number = try container.decode(UInt8.self, forKey: .role)
        let format = try container.decode(UInt8.self, forKey: .codec)
        layers = try container.decode(UInt8.self, forKey: .layers)
        guard let role = SourceRole(rawValue: number), let codec = Codec(rawValue: format),
            (codec == .opus) == (role.kind == .audio), (1...3).contains(layers)
        else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "no source that can be published"))
        }
        self.role = number
        self.codec = codec
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(role, forKey: .role)
        try container.encode(codec.rawValue, forKey: .codec)
        try container.encode(layers, forKey: .layers)
    }
}
