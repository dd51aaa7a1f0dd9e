import Fleet
import Meetings

/// What the Registry says of the fleet's PoPs, as the hub needs it at once.
struct KnownPoPs: Sendable {
    /// This PoP among them.
    private(set) var sites: [PoPName: Site] = [:]
    /// Sockets of others that take newcomers, the nearest first.
    private(set) var alternates: [String] = []
    /// What clients reach all those by, without a slash at its end.
    private var urls: [PoPName: String] = [:]
    /// Others that are being drained.
    private(set) var leaving: Set<PoPName> = []
    private var own: PoPName?
    private var candidates: [PlacementCandidate] = []

    /// More would not be tried in time.
    static let mostAlternates = 3

    init() {}

    init(own: PoPRecord, _ peers: [PeerTable.Peer]) {
        let here = Site(own)
        self.own = own.name
        sites[own.name] = here
        for peer in peers { sites[peer.record.name] = Site(peer.record) }
        leaving = Set(peers.map(\.record).filter(\.isDraining).map(\.name))
        let open = peers.filter { !$0.isLost && !$0.record.isDraining && $0.record.load < 1 }.map(\.record)
        for record in open {
            urls[record.name] = FleetOrigins.origin(record.signalingURL)
        }
        let nearest = open.map { (trip: RoundTrip.estimate(here, Site($0)), url: $0.signalingURL, name: $0.name) }
            .sorted { ($0.trip, $0.url) < ($1.trip, $1.url) }
        alternates = Array(nearest.compactMap { socket(of: $0.name) }.prefix(Self.mostAlternates))
        candidates = open.map(PlacementCandidate.init)
        // It is where the others are seen from.
        var none = PlacementCandidate(own)
        none.isReady = false
        candidates.append(none)
    }

    func socket(of pop: PoPName) -> String? { urls[pop].map(ApiConfiguration.socket) }

    /// Of these PoPs those that take the people of a meeting of this one, the best first. Those of many meetings are spread
    /// over all that are about as good.
    func standbys(of meeting: MeetingID, among linked: Set<PoPName>) -> [PoPName] {
        open(to: meeting.rawValue, among: linked)
    }

    /// Where somebody may go for whom this PoP has no place.
    ///
    /// - Parameters:
    ///   - subject: what stays the same when the client asks again.
    ///   - via: the PoPs that sent it on, this one not yet among them.
    ///   - gathered: where its meeting has people.
    ///   - linked: of these PoPs one.
    ///   - seated: how many this PoP has sent to each since it was told of them.
    func way(
        for subject: String, via: [PoPName], gathered: [PoPName], among linked: Set<PoPName>,
        seated: [PoPName: Int] = [:]
    ) -> (pop: PoPName, way: Elsewhere)? {
        let open = open(to: subject, via: via, gathered: gathered, among: linked, seated: seated)
        guard let own, let first = open.first, let url = urls[first] else { return nil }
        return (first, Elsewhere(url: url, via: via + [own], others: open.dropFirst().compactMap { urls[$0] }))
    }

    private func open(
        to subject: String, via: [PoPName] = [], gathered: [PoPName] = [], among linked: Set<PoPName>,
        seated: [PoPName: Int] = [:]
    ) -> [PoPName] {
        guard let own else { return [] }
        let names = Set(linked.map(\.rawValue))
        var snapshot = PlacementSnapshot(
            candidates.filter { names.contains($0.site.name) || $0.site.name == own.rawValue })
        for (pop, people) in seated { snapshot.seat(people, at: pop.rawValue) }
        let client = PlacementClient(
            origin: .arrived(at: own.rawValue), subject: subject, tried: via.map(\.rawValue))
        let decision = Placement.decide(client, in: snapshot, gathered: gathered.map(\.rawValue))
        return decision.map { [$0.pop] + $0.alternates }?.compactMap { PoPName($0) } ?? []
    }
}

extension Site {
    init(_ record: PoPRecord) {
        self.init(name: record.name.rawValue, region: record.region, position: record.position)
    }
}

extension PlacementCandidate {
    /// One that is busy counts as full with fewer people.
    init(_ record: PoPRecord) {
        let capacity = Double(record.capacity)
        self.init(
            site: Site(record), load: max(Double(record.participants), record.load * capacity), capacity: capacity,
            isDraining: record.isDraining)
    }
}
