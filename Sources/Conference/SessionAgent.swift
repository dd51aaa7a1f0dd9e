import Agents
import Mailbox
import Meetings

/// The slow path of one Session: its DTLS handshake, from the first valid ICE check to the keys.
///
/// Owned by the director, like the Certificate.
final class SessionAgent {
    /// What a step led to.
    enum Outcome {
        case nothing
        /// The first time that the handshake is done.
        case connected(InstallKeys)
        case failed(reason: MediaFailure)
    }

    let session: SessionHandle
    let participant: ParticipantID
    private let role: DTLSRole
    private let peer: Fingerprint
    /// Nanoseconds; until then it must be connected.
    private var deadline: UInt64
    private var handshake: DTLSHandshake?
    private(set) var isConnected = false

    init(session: SessionHandle, participant: ParticipantID, negotiation: Negotiation, deadline: UInt64) {
        self.session = session
        self.participant = participant
        role = negotiation.dtlsRole
        peer = negotiation.fingerprint
        self.deadline = deadline
    }

    /// The client begins anew to look for a way: it has until `deadline`, nanoseconds.
    func extend(to deadline: UInt64) { self.deadline = deadline }

    /// The worker has a validated 5-tuple for it: DTLS may begin. Nothing for a second time.
    func begin(certificate: Certificate, mtu: Int, now: UInt64) throws(DTLSError) {
        guard handshake == nil else { return }
        handshake = try DTLSHandshake(certificate: certificate, role: role, peer: peer, mtu: mtu, now: now)
    }

    /// Takes a datagram of the peer; false before `begin`, when there is nobody to take it.
    func receive(_ datagram: Datagram, now: UInt64) -> Bool {
        guard let handshake else { return false }
        let count = min(Int(datagram.count), Datagram.capacity)
        datagram.bytes.span.withUnsafeBytes { bytes in
            handshake.receive(UnsafeRawBufferPointer(rebasing: bytes[..<count]), now: now)
        }
        return true
    }

    /// Whether `handleTimers` has something to do.
    func isDue(at now: UInt64) -> Bool {
        (handshake?.timeout).map { $0 <= now } ?? false || (!isConnected && deadline <= now)
    }

    /// Repeats what was lost; gives up when connecting takes too long.
    func handleTimers(now: UInt64) -> Outcome {
        if let timeout = handshake?.timeout, timeout <= now { handshake?.handleTimeout(now: now) }
        if !isConnected, now >= deadline { return .failed(reason: MediaFailure.neverConnected) }
        return outcome()
    }

    /// What the handshake's state asks for; `connected` once.
    func outcome() -> Outcome {
        switch handshake?.state {
        case nil, .handshaking: return .nothing
        case .failed: return .failed(reason: MediaFailure.handshake)
        case .closed: return .failed(reason: MediaFailure.closedByPeer)
        case .connected(let profile, let receive, let send):
            guard !isConnected else { return .nothing }
            isConnected = true
            return .connected(InstallKeys(session: session, profile: profile, receive: receive, send: send))
        }
    }

    /// Why OpenSSL gave up, for the log; nil when it did not.
    var diagnosis: String? {
        if case .failed(let reason) = handshake?.state { reason } else { nil }
    }

    /// Says goodbye to the peer; the last datagrams are ready to be sent.
    func close() { handshake?.close() }

    /// The next datagram to send. One that no link carries is dropped.
    func nextOutgoing() -> Datagram? {
        while let bytes = handshake?.nextOutgoing() {
            guard bytes.count <= Datagram.capacity else { continue }
            var datagram = Datagram(session: session)
            bytes.withUnsafeBytes { datagram.fill($0) }
            return datagram
        }
        return nil
    }
}
