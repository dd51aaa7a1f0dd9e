/// What one m-line says of formats and extensions.
struct OfferedCapabilities {
    var formats: [RTPFormat]
    var extensions: [HeaderExtension]
    /// The same number means the same of both; nil for one that was not noted.
    var number: Int?
}

/// The formats and extensions of an offer's m-lines. A browser's Slots all say the same, which is understood once.
struct CapabilityTable {
    private struct Entry {
        var media: SessionDescription.Media
        var capabilities: OfferedCapabilities
    }

    /// More than the kinds of m-lines that a browser offers: microphone, camera, Slots of both.
    private static let limit = 8

    private var known: [Entry] = []

    /// What the m-line says.
    mutating func read(_ media: SessionDescription.Media) -> OfferedCapabilities {
        if let entry = known.first(where: { Self.saysTheSame($0.media, media) }) { return entry.capabilities }
        let extensions = media.attributes.values("extmap").compactMap { HeaderExtension($0) }
        var capabilities = OfferedCapabilities(formats: RTPFormat.all(of: media), extensions: extensions)
        if known.count < Self.limit {
            capabilities.number = known.count
            known.append(Entry(media: media, capabilities: capabilities))
        }
        return capabilities
    }

    private static func saysTheSame(_ one: SessionDescription.Media, _ other: SessionDescription.Media) -> Bool {
        one.kind == other.kind && one.formats == other.formats
            && one.attributes.lazy.filter(isRead).elementsEqual(other.attributes.lazy.filter(isRead)) {
                $0.name == $1.name && $0.value == $1.value
            }
    }

    private static func isRead(_ attribute: SessionDescription.Attribute) -> Bool {
        attribute.name == "extmap" || RTPFormat.describes(attribute)
    }
}
