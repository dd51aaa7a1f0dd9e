/// All connections of a PoP to others: dials those that are wanted, takes those that come, and keeps one for each peer.
///
/// The transport does what `takeActions` says, and tells what becomes of it.
public struct LinkRoster: Sendable {
    public typealias ConnectionID = UInt64

    public enum Action: Hashable, Sendable {
        /// Connect, then `connected` or `closed`.
        case dial(PoPName, ConnectionID)
        /// Write these last bytes, then close; nothing of it is told any more.
        case close(ConnectionID, last: [UInt8])
    }

    public enum Event: Hashable, Sendable {
        case opened(PoPInstance, version: Int)
        case message(PoPName, LinkMessage)
        case closed(PoPName, LinkFailure)
        /// A connection ended that had not become a link; the peer where it is known.
        case refused(PoPName?, LinkFailure)
    }

    struct Connection: Sendable {
        var link: LinkConnection
        let isDialled: Bool
        let peer: PoPName?
        /// While the transport has not connected: until then nothing can be silent.
        var isConnecting: Bool
    }

    struct Peer: Sendable {
        var isWanted = false
        var wait: Duration
        var nextDial: Duration
        var dialled: ConnectionID?
        var open: ConnectionID?
        var opened: Duration = .zero
    }

    public let hello: LinkHello
    private let greeting: [UInt8]
    let policy: LinkPolicy
    private(set) var connections: [ConnectionID: Connection] = [:]
    var peers: [PoPName: Peer] = [:]
    private var lastID: ConnectionID = 0
    private var actions: [Action] = []
    private var events: [Event] = []

    public init(hello: LinkHello, policy: LinkPolicy = .init()) {
        self.hello = hello
        greeting = hello.frame.bytes
        self.policy = policy
    }

    public mutating func takeActions() -> [Action] {
        defer { actions = [] }
        return actions
    }

    public mutating func takeEvents() -> [Event] {
        defer { events = [] }
        return events
    }

    public func connection(to peer: PoPName) -> ConnectionID? { peers[peer]?.open }

    public func peer(of id: ConnectionID) -> PoPName? {
        guard let peer = connections[id]?.link.peer?.pop.name, peers[peer]?.open == id else { return nil }
        return peer
    }

    /// The peers that there is a link to.
    public var linked: [PoPName] { peers.compactMap { $0.value.open == nil ? nil : $0.key } }

    public func roundTrip(to peer: PoPName) -> Duration? {
        connection(to: peer).flatMap { connections[$0]?.link.roundTrip }
    }

    /// Whether this PoP dials the peer; it takes its connections either way.
    public mutating func want(_ name: PoPName, _ isWanted: Bool = true, at now: Duration) {
        guard name != hello.pop.name else { return }
        var peer = peers[name] ?? Peer(wait: policy.firstWait, nextDial: now)
        peer.isWanted = isWanted
        peers[name] = isWanted || peer.open != nil || peer.dialled != nil ? peer : nil
    }

    /// A connection that somebody made to this PoP.
    ///
    /// - Parameter certified: who its certificate names.
    /// - Returns: nil where there are too many: the transport closes it.
    public mutating func accept(certified: PoPName?, at now: Duration) -> ConnectionID? {
        guard connections.count < policy.mostConnections else { return nil }
        return add(isDialled: false, peer: certified, at: now)
    }

    /// A connection that was dialled is there.
    public mutating func connected(_ id: ConnectionID, at now: Duration) {
        guard let connection = connections[id], connection.isConnecting else { return }
        connections[id]?.isConnecting = false
        connections[id]?.link = LinkConnection(
            hello: hello, greeting: greeting, expected: connection.peer, policy: policy, at: now)
    }

    /// The transport lost a connection, or could not make one.
    public mutating func closed(
        _ id: ConnectionID, _ failure: LinkFailure = .lost, at now: Duration,
        using generator: inout some RandomNumberGenerator
    ) {
        guard connections[id] != nil else { return }
        remove(id, failure, at: now, using: &generator)
    }

    public mutating func receive(
        _ bytes: [UInt8], on id: ConnectionID, at now: Duration, using generator: inout some RandomNumberGenerator
    ) {
        guard connections[id]?.isConnecting == false else { return }
        let wasOpen = connections[id]!.link.isOpen
        do throws(LinkFailure) {
            let messages = try connections[id]!.link.receive(bytes, at: now)
            if !wasOpen, let hello = connections[id]!.link.peer {
                try admit(id, hello, at: now, using: &generator)
            }
            guard let peer = peer(of: id) else { return }
            for message in messages { events.append(.message(peer, message)) }
        } catch { end(id, error, at: now, using: &generator) }
    }

    /// What the connection's link has to say for itself, before messages of meetings.
    public mutating func takeOutput(_ id: ConnectionID) -> [UInt8] {
        guard connections[id]?.isConnecting == false else { return [] }
        return connections[id]!.link.takeOutput()
    }

    /// To be called a few times a second at least.
    public mutating func tick(at now: Duration, using generator: inout some RandomNumberGenerator) {
        for (id, connection) in connections.sorted(by: { $0.key < $1.key }) where !connection.isConnecting {
            do throws(LinkFailure) { try connections[id]?.link.tick(at: now) } catch {
                end(id, error, at: now, using: &generator)
            }
        }
        for (name, peer) in peers.sorted(by: { $0.key < $1.key })
        where peer.isWanted && peer.open == nil && peer.dialled == nil && now >= peer.nextDial {
            let id = add(isDialled: true, peer: name, at: now)
            peers[name]?.dialled = id
            actions.append(.dial(name, id))
        }
    }

    /// Ends the peer's link, as where it keeps to no limit.
    public mutating func part(
        _ peer: PoPName, _ failure: LinkFailure, at now: Duration, using generator: inout some RandomNumberGenerator
    ) {
        guard let id = connection(to: peer) else { return }
        end(id, failure, at: now, using: &generator)
    }

    private mutating func add(isDialled: Bool, peer: PoPName?, at now: Duration) -> ConnectionID {
        lastID += 1
        connections[lastID] = Connection(
            link: LinkConnection(
                hello: hello, greeting: greeting, expected: peer, policy: policy, at: now), isDialled: isDialled,
            peer: peer,
            isConnecting: isDialled)
        return lastID
    }

    /// Makes a connection whose peer has said hello the peer's link, or refuses it.
    private mutating func admit(
        _ id: ConnectionID, _ theirs: LinkHello, at now: Duration, using generator: inout some RandomNumberGenerator
    ) throws(LinkFailure) {
        let name = theirs.pop.name
        var peer = peers[name] ?? Peer(wait: policy.firstWait, nextDial: now)
        if let openID = peer.open, let open = connections[openID] {
            guard open.link.peer?.pop == theirs.pop else { throw .secondInstance }
            guard isKept(id, before: openID, peer: name) else { throw .duplicate }
            peers[name] = peer
            end(openID, .duplicate, at: now, using: &generator)
            peer = peers[name] ?? peer
        }
        peer.open = id
        peer.opened = now
        if peer.dialled == id { peer.dialled = nil }
        peers[name] = peer
        events.append(.opened(theirs.pop, version: connections[id]?.link.version ?? 0))
    }

    /// Of two connections in opposite directions both sides keep the one that the first by name dialled. Of two in the same
    /// the newer: who dials again knows nothing of the older.
    private func isKept(_ id: ConnectionID, before open: ConnectionID, peer: PoPName) -> Bool {
        guard let new = connections[id], let old = connections[open], new.isDialled != old.isDialled else {
            return true
        }
        return new.isDialled == (hello.pop.name < peer)
    }

    private mutating func end(
        _ id: ConnectionID, _ failure: LinkFailure, at now: Duration, using generator: inout some RandomNumberGenerator
    ) {
        guard connections[id] != nil else { return }
        if case .parted = failure {} else { connections[id]?.link.part(failure) }
        let last = connections[id]?.link.takeOutput() ?? []
        remove(id, failure, at: now, using: &generator)
        actions.append(.close(id, last: last))
    }

    private mutating func remove(
        _ id: ConnectionID, _ failure: LinkFailure, at now: Duration, using generator: inout some RandomNumberGenerator
    ) {
        guard let connection = connections.removeValue(forKey: id) else { return }
        let name = connection.peer ?? connection.link.peer?.pop.name
        guard let name, var peer = peers[name] else { return events.append(.refused(name, failure)) }
        let wasOpen = peer.open == id
        if peer.dialled == id { peer.dialled = nil }
        if wasOpen { peer.open = nil }
        if wasOpen, now - peer.opened >= policy.steady { peer.wait = policy.firstWait }
        if wasOpen || connection.isDialled {
            let wait = failure.isLasting ? policy.partedWait : peer.wait
            peer.nextDial = now + wait / 2 + (wait / 2) * Double.random(in: 0..<1, using: &generator)
            peer.wait = min(peer.wait * 2, policy.longestWait)
        }
        // Peers that only came are not remembered.
        peers[name] = peer.isWanted || peer.open != nil ? peer : nil
        events.append(wasOpen ? .closed(name, failure) : .refused(name, failure))
    }
}
