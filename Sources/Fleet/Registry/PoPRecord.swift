import Foundation

/// What a PoP says of itself in the Registry.
public struct PoPRecord: Hashable, Sendable {
    public var name: PoPName
    public var region: String
    public var position: Position?
    /// Where other PoPs reach its fleet listener, as `host:port`.
    public var fleetAddresses: [String]
    /// Where its Lanes receive, as `address:port`.
    public var mediaAddresses: [String]
    /// The public URL of its signaling.
    public var signalingURL: String
    /// The versions of the fleet's protocol that it speaks.
    public var versions: ClosedRange<Int>
    /// 0 (idle) to 1 (full).
    public var load: Double
    public var participants: Int
    public var capacity: Int
    public var isDraining: Bool
    /// Counts what the PoP has said since its start, so that readers see how old it is without trusting clocks.
    public var announcement: Int

    public init(
        name: PoPName, region: String, position: Position? = nil, fleetAddresses: [String], mediaAddresses: [String],
        signalingURL: String, versions: ClosedRange<Int>, load: Double = 0, participants: Int = 0, capacity: Int,
        isDraining: Bool = false, announcement: Int = 0
    ) {
        self.name = name
        self.region = region
        self.position = position
        self.fleetAddresses = fleetAddresses
        self.mediaAddresses = mediaAddresses
        self.signalingURL = signalingURL
        self.versions = versions
        self.load = load
        self.participants = participants
        self.capacity = capacity
        self.isDraining = isDraining
        self.announcement = announcement
    }
}

/// The form in which the Registry keeps a record. A PoP of a newer version may say more: fields that are not known here are
/// passed over.
extension PoPRecord {
    /// The longest record, bytes of JSON.
    public static let sizeLimit = 64 << 10
    static let addressLimit = 16
    /// Doubles, of which other programs' JSON is made, are exact up to here.
    static let lastAnnouncement = 1 << 53

    private struct Fields: Codable {
        var name: String
        var region: String
        var latitude: Double?
        var longitude: Double?
        var fleetAddresses: [String]
        var mediaAddresses: [String]
        var signalingURL: String
        var lowestVersion: Int
        var highestVersion: Int
        var load: Double
        var participants: Int
        var capacity: Int
        var draining: Bool
        var announcement: Int?

        enum CodingKeys: String, CodingKey {
            case name, region, latitude, longitude, load, participants, capacity, draining, announcement
            case fleetAddresses = "fleet_addresses"
            case mediaAddresses = "media_addresses"
            case signalingURL = "signaling_url"
            case lowestVersion = "lowest_version"
            case highestVersion = "highest_version"
        }
    }

    /// Nil where `json` is no record, or says what cannot be: what other PoPs say is not trusted.
    public init?(json: [UInt8]) {
        guard json.count <= Self.sizeLimit, let fields = try? JSONDecoder().decode(Fields.self, from: Data(json)),
            let name = PoPName(fields.name), fields.lowestVersion <= fields.highestVersion
        else { return nil }
        var position: Position?
        if fields.latitude != nil || fields.longitude != nil {
            guard let latitude = fields.latitude, let longitude = fields.longitude,
                let found = Position(latitude: latitude, longitude: longitude)
            else { return nil }
            position = found
        }
        self.init(
            name: name, region: fields.region, position: position, fleetAddresses: fields.fleetAddresses,
            mediaAddresses: fields.mediaAddresses, signalingURL: fields.signalingURL,
            versions: fields.lowestVersion...fields.highestVersion, load: fields.load,
            participants: fields.participants, capacity: fields.capacity, isDraining: fields.draining,
            announcement: fields.announcement ?? 0)
        guard isValid else { return nil }
    }

    /// Nil where no reader would take it.
    public var json: [UInt8]? {
        guard isValid else { return nil }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data = try? encoder.encode(
            Fields(
                name: name.rawValue, region: region, latitude: position?.latitude, longitude: position?.longitude,
                fleetAddresses: fleetAddresses, mediaAddresses: mediaAddresses, signalingURL: signalingURL,
                lowestVersion: versions.lowerBound, highestVersion: versions.upperBound, load: load,
                participants: participants, capacity: capacity, draining: isDraining, announcement: announcement))
        return data.map { [UInt8]($0) }
    }

    private var isValid: Bool {
        let addresses = [fleetAddresses, mediaAddresses]
        return region.utf8.count <= 64 && signalingURL.utf8.count <= 2_048 && (0...1).contains(load)
            && addresses.allSatisfy { $0.count <= Self.addressLimit && $0.allSatisfy { $0.utf8.count <= 256 } }
            && (1...65_535).contains(versions.lowerBound) && versions.upperBound <= 65_535
            && (0...10_000_000).contains(participants) && (0...10_000_000).contains(capacity)
            && (0...Self.lastAnnouncement).contains(announcement)
    }
}
