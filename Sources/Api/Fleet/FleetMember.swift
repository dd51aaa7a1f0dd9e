import Conference
import Fleet
import Logging
import Meetings

/// This PoP as one of its fleet: says how it fares, knows the others, and is by the Registry's word the Home of the meetings
/// that were made here. Nothing that runs waits for it.
actor FleetMember {
    /// How the PoP fares.
    struct Report: Sendable, Equatable {
        /// 0 (idle) to 1 (full).
        var load: Double
        var participants: Int
        var capacity: Int
        var isDraining: Bool
    }

    /// What became of the claim of a new meeting.
    enum Claim: Sendable, Equatable {
        /// This PoP is its Home.
        case granted(epoch: UInt64)
        /// It is asked again later.
        case later
        /// Another meeting has the number.
        case numberTaken
    }

    /// How often the others are listed, and how soon again when one is missing.
    static let listing: Duration = .seconds(5)
    private static let shortestListing: Duration = .seconds(1)
    /// How long a PoP that is new sends nobody on: until the others have listed it, they let no page of it in.
    static let introduction: Duration = .seconds(6)
    /// Calls of the Registry at once.
    private static let width = 32

    let configuration: FleetConfiguration
    nonisolated let origins: FleetOrigins
    private let identity: NodeIdentity
    private let registry: any Registry
    /// Nil where meetings are not shared: then they live at one PoP, and the leases are those of `leases`.
    private let links: (any LinkPlane)?
    /// Nil without links.
    private let trunks: (any TrunkPlane)?
    private let times = RegistryTimes()
    private let clock: any ApiClock
    private let logger: Logger
    private let start: Timestamp

    private var peers: PeerTable
    private var leases = LeaseTable()
    private var report = Report(load: 0, participants: 0, capacity: 0, isDraining: false)
    private var announcements = 0
    private var announced: Timestamp?
    /// When the fleet was told of this PoP first.
    private var introduced: Timestamp?
    /// How many newcomers this PoP has sent to each other one since it listed them.
    private var sentOn: [PoPName: Int] = [:]
    private var listed: Timestamp?
    private var renewed: Timestamp?
    private var wasUp = false
    /// What the Registry said no to last.
    private var complaint: String?
    /// Meetings that are found by their id alone, as others have their numbers.
    private var numberless: Set<MeetingID> = []

    init(
        _ configuration: FleetConfiguration, identity: NodeIdentity, origins: FleetOrigins, registry: any Registry,
        links: (any LinkPlane)? = nil, trunks: (any TrunkPlane)? = nil, clock: any ApiClock, logger: Logger
    ) {
        self.configuration = configuration
        self.identity = identity
        self.origins = origins
        self.registry = registry
        self.links = links
        self.trunks = trunks
        self.clock = clock
        self.logger = logger
        start = clock.now
        peers = PeerTable(of: configuration.name)
    }

    /// Time as the tables count it.
    private var now: Duration { .milliseconds(clock.now.milliseconds - start.milliseconds) }

    /// Once a second: does what is due.
    ///
    /// - Parameter meetings: those that are here.
    func tick(_ report: Report, meetings: [MeetingID: MeetingNumber]) async {
        self.report = report
        guard registry.isUp else {
            wasUp = false
            return
        }
        // Behind an outage all is due but the list: a Registry that forgot everything is told again first.
        if !wasUp { (announced, listed, renewed) = (nil, listed == nil ? nil : clock.now, nil) }
        wasUp = true
        if isDue(&announced, every: times.refresh) { await announce() }
        if isDue(&listed, every: Self.listing) { await list() }
        if links == nil { await release(leases.takeEnded { meetings[$0] != nil }) }
        let renews = isDue(&renewed, every: times.renewal)
        if links == nil { await claim(leases.unclaimed(of: meetings, triesLost: renews), meetings) }
        if renews { await renew() }
    }

    /// Ends the leases, so that nobody is sent here any more. The last record stays until its time runs out: whoever has read
    /// that this PoP was emptied does not call it lost.
    func leave() async {
        report.isDraining = true
        guard registry.isUp else { return }
        await announce()
        if let links { return await release(links.leases) }
        await release(leases.takeEnded { _ in false })
    }

    private func isDue(_ last: inout Timestamp?, every interval: Duration) -> Bool {
        if let last, clock.now < last + interval { return false }
        last = clock.now
        return true
    }

    // MARK: The fleet

    private var record: PoPRecord {
        PoPRecord(
            name: configuration.name, region: identity.region ?? "",
            position: identity.coordinates.flatMap { Position(latitude: $0.latitude, longitude: $0.longitude) },
            fleetAddresses: links == nil ? [] : configuration.links?.announced.map(\.description) ?? [],
            mediaAddresses: configuration.mediaAddresses, signalingURL: configuration.url,
            versions: FleetConfiguration.versions, load: report.load, participants: report.participants,
            capacity: report.capacity, isDraining: report.isDraining, announcement: announcements)
    }

    private func announce() async {
        announcements += 1
        let isFirst = announcements == 1
        let record = record
        let wasIntroduced = introduced
        introduced = introduced ?? clock.now
        let other = await ask { [registry] () throws(RegistryError) in try await registry.announce(record) }
        if other == nil { introduced = wasIntroduced }
        guard case .some(.some(let other)) = other, !isFirst, other.name == configuration.name else { return }
        complain("another process says that it is this PoP: fleet.name must be different at each")
    }

    private func list() async {
        let records = await ask { [registry] () throws(RegistryError) in try await registry.pops() }
        guard let records else { return }
        let (found, lost) = peers.take(records, at: now)
        sentOn = [:]
        origins.replace(with: peers.peers.map(\.record.signalingURL) + [configuration.url])
        for name in found { logger.info("a PoP is in the fleet", metadata: ["pop": "\(name)"]) }
        for name in lost { logger.warning("a PoP of the fleet is lost", metadata: ["pop": "\(name)"]) }
        await links?.want(linkAddresses)
    }

    /// Where the others come in, those that are lost among them: the path to the Registry may be all that is lost.
    private var linkAddresses: [PoPName: [LinkAddress]] {
        var addresses: [PoPName: [LinkAddress]] = [:]
        for peer in peers.peers where peer.record.versions.overlaps(FleetConfiguration.versions) {
            let found = peer.record.fleetAddresses.compactMap { LinkAddress($0) }
            if !found.isEmpty { addresses[peer.record.name] = found }
        }
        return addresses
    }

    /// What operators see.
    var fleet: FleetReading {
        get async {
            let reading = await links?.reading
            return FleetReading(
                own: record, isRegistryUp: registry.isUp,
                peers: peers.peers.map { .init(peer: $0, age: now - $0.heard) },
                epochChanges: leases.epochChanges + UInt64(reading?.exchange.stepsDown ?? 0), links: reading,
                trunks: await trunkReading)
        }
    }

    private var trunkReading: TrunkReading? {
        get async {
            guard let trunks else { return nil }
            return TrunkReading(reports: await trunks.trunkReports(), refusals: await trunks.trunkRefusals())
        }
    }

    // MARK: Where a meeting is

    /// Why a meeting is not here: with the way to it, where another PoP has it.
    ///
    /// - Parameter via: the PoPs that sent the client here.
    func absence(of reference: String, via: [PoPName]) async -> Problem {
        let unknown = Problem(MeetingError.meetingNotFound)
        guard via.count < PlacementPolicy.mostRedirects, !via.contains(configuration.name) else { return unknown }
        let registration: Registration?
        do throws(Problem) { registration = try await self.registration(of: reference) } catch { return error }
        // What is said to be here is of an earlier start, and gone.
        guard let home = registration?.home.pop, home != configuration.name, !via.contains(home),
            let record = await record(of: home), let url = FleetOrigins.origin(record.signalingURL)
        else { return unknown }
        guard let introduced, introduced + Self.introduction <= clock.now else { return .registryUnavailable }
        return .elsewhere(Elsewhere(url: url, via: via + [configuration.name]))
    }

    /// Where somebody may go for whom this PoP has no place, while all PoPs have all meetings; nil: nowhere.
    ///
    /// - Parameters:
    ///   - subject: what stays the same when the client asks again.
    ///   - via: the PoPs that sent it here.
    ///   - gathered: where its meeting has people.
    ///   - linked: the PoPs that share meetings with this one.
    func way(for subject: String, via: [PoPName], gathered: [PoPName], among linked: Set<PoPName>) -> Elsewhere? {
        guard via.count < PlacementPolicy.mostRedirects, !via.contains(configuration.name),
            let introduced, introduced + Self.introduction <= clock.now,
            let found = known.way(for: subject, via: via, gathered: gathered, among: linked, seated: sentOn)
        else { return nil }
        sentOn[found.pop, default: 0] += 1
        return found.way
    }

    /// Where the meeting has its Home, by the Registry's word.
    ///
    /// - Throws: 503 `registry_unavailable`.
    func registration(of reference: String) async throws(Problem) -> Registration? {
        do throws(RegistryError) {
            if let number = MeetingNumber(reference) { return try await registry.find(number) }
            if let id = MeetingID(reference) { return try await registry.find(id) }
            return nil
        } catch {
            throw .registryUnavailable
        }
    }

    /// The record of a PoP, which may be newer than the last list.
    private func record(of name: PoPName) async -> PoPRecord? {
        if peers[name]?.isLost ?? true, isDue(&listed, every: Self.shortestListing) { await list() }
        guard let peer = peers[name], !peer.isLost else { return nil }
        return peer.record
    }

    /// Where the PoP's Lanes receive.
    func mediaAddresses(of name: PoPName) async -> [String] { await record(of: name)?.mediaAddresses ?? [] }

    /// Where the PoPs are, and whom clients of this one may go to.
    var known: KnownPoPs { KnownPoPs(own: record, peers.peers) }

    // MARK: Homes

    /// Claims a meeting that was made just now, so that the others find it before its maker is answered.
    func claim(_ meeting: MeetingID, number: MeetingNumber) async -> Claim {
        if links != nil { return await claimShared(meeting, number: number) }
        guard registry.isUp, leases.begin(meeting) else { return .later }
        let outcome = await ask { [registry] () throws(RegistryError) in
            try await registry.claim(meeting, number: number)
        }
        switch outcome {
        case nil: leases.fail(meeting)
        case .granted(let epoch):
            leases.hold(Lease(meeting: meeting, number: number, epoch: epoch))
            return .granted(epoch: epoch)
        case .held(let home): lose(meeting, to: home)
        case .numberTaken:
            leases.fail(meeting)
            return .numberTaken
        }
        return .later
    }

    /// The same where meetings are shared: the exchange of the links has the lease, and renews it.
    private func claimShared(_ meeting: MeetingID, number: MeetingNumber) async -> Claim {
        let outcome = await ask { [registry] () throws(RegistryError) in
            try await registry.claim(meeting, number: number)
        }
        switch outcome {
        case .granted(let epoch): return .granted(epoch: epoch)
        case .numberTaken: return .numberTaken
        case nil, .held: return .later
        }
    }

    /// Claims those that were made while the Registry was away, and those that others may have lost.
    private func claim(_ unclaimed: [MeetingID], _ meetings: [MeetingID: MeetingNumber]) async {
        await each(unclaimed) { meeting in
            guard let number = meetings[meeting], case .numberTaken = await self.claim(meeting, number: number) else {
                return
            }
            await self.holdWithoutNumber(meeting, number)
        }
    }

    /// People know the meeting by its number already: it is kept, and the fleet finds it by its id. It was never in the
    /// Registry, so that its epoch is the first.
    private func holdWithoutNumber(_ meeting: MeetingID, _ number: MeetingNumber) async {
        let lease = Lease(meeting: meeting, number: number, epoch: Home.epochs.lowerBound)
        let outcome = await ask { [registry] () throws(RegistryError) in try await registry.renew([lease]) }
        guard let outcome, outcome.lost.isEmpty else { return }
        leases.hold(lease)
        note(outcome)
    }

    private func renew() async {
        let held = await links?.leases ?? leases.leases
        guard !held.isEmpty else { return }
        let outcome = await ask { [registry] () throws(RegistryError) in try await registry.renew(held) }
        guard let outcome else { return }
        for (meeting, home) in outcome.lost {
            if let links { await links.leaseLost(meeting, to: home) } else { lose(meeting, to: home) }
        }
        note(outcome)
    }

    private func lose(_ meeting: MeetingID, to home: Home) {
        guard leases.lose(meeting, to: home) else { return }
        logger.warning(
            "another PoP is the meeting's Home; it goes on here too",
            metadata: ["meeting_id": "\(meeting)", "pop": "\(home.pop)", "epoch": "\(home.epoch)"])
    }

    private func note(_ outcome: RenewalOutcome) {
        for (meeting, other) in outcome.numbersLost where numberless.insert(meeting).inserted {
            logger.warning(
                "another meeting of the fleet has the number: this one is found by its id from other PoPs",
                metadata: ["meeting_id": "\(meeting)", "other_meeting_id": "\(other)"])
        }
    }

    private func release(_ ended: [Lease]) async {
        for lease in ended { numberless.remove(lease.meeting) }
        await each(ended) { lease in
            await self.ask { [registry = self.registry] () throws(RegistryError) in
                try await registry.release(lease.meeting, epoch: lease.epoch)
            }
        }
    }

    // MARK: Asking

    /// Does it for each, so many at once; not for the rest when the Registry is gone.
    private func each<Element: Sendable>(
        _ elements: [Element], _ body: @escaping @Sendable (Element) async -> Void
    ) async {
        await withTaskGroup(of: Void.self) { group in
            for (place, element) in elements.enumerated() {
                if place >= Self.width { await group.next() }
                guard registry.isUp else { break }
                group.addTask { await body(element) }
            }
        }
    }

    /// Nil where it failed: it is done again later.
    @discardableResult
    private func ask<Answer: Sendable>(
        _ call: @Sendable () async throws(RegistryError) -> Answer
    ) async -> Answer? {
        do throws(RegistryError) {
            return try await call()
        } catch {
            switch error {
            // Whoever keeps the connection says so.
            case .unavailable, .unanswered, .overloaded: break
            case .refused, .garbled, .invalid: complain("\(error)")
            }
            return nil
        }
    }

    /// Once for each kind in a row.
    private func complain(_ text: String) {
        guard complaint != text else { return }
        complaint = text
        logger.warning("the fleet's registry: \(text)")
    }
}
