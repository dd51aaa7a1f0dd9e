import Agents
import Wire

/// One session with the server that receives and sends no media: ICE, DTLS-SRTP, SRTP. Sans I/O; one thread owns it, the one
/// that owns the certificate.
final class PlayerSession {
    enum State: Equatable {
        case connecting, open
        case lost(String)
    }

    /// What was in a datagram, in plain.
    enum Arrival {
        case rtp(RTPPacket)
        case rtcp(UnsafeRawBufferPointer)
    }

    /// Without media or an answer to a check for so long it is lost, ns.
    private(set) var state = State.connecting
    private var check: ConnectivityCheck
    private var handshake: DTLSHandshake?
    private var reception: SRTPReception?
    private let certificate: Certificate
    private let answer: PlayerAnswer
    private var outgoing: [[UInt8]] = []

    /// ns, as checks measure it.
    var roundTrip: UInt64 { check.roundTrip }

    init(ufrag: String, _ answer: PlayerAnswer, certificate: Certificate, now: UInt64) {
        check = ConnectivityCheck(local: ufrag, answer, now: now)
        self.answer = answer
        self.certificate = certificate
    }

    /// Takes a datagram; what it held of media is opened in place.
    func receive(_ datagram: UnsafeMutableRawBufferPointer, now: UInt64) -> Arrival? {
        let bytes = UnsafeRawBufferPointer(datagram)
        switch PacketKind(bytes) {
        case .stun:
            check.take(bytes, now: now)
            advance(now: now)
        case .dtls:
            handshake?.receive(bytes, now: now)
            follow(now: now)
        case .rtp:
            guard RTPPacket(encrypted: bytes) != nil, let count = reception?.open(datagram) else { return nil }
            return RTPPacket(UnsafeRawBufferPointer(rebasing: datagram[..<count])).map { .rtp($0) }
        case .rtcp:
            // The fixed header, the index and the shortest tag.
            guard bytes.count >= 8 + 4 + 10, let count = reception?.openRTCP(datagram) else { return nil }
            return .rtcp(UnsafeRawBufferPointer(rebasing: datagram[..<count]))
        case .channelData, .unknown: break
        }
        return nil
    }

    /// Does what is due.
    func advance(now: UInt64) {
        if case .lost = state { return }
        if let request = check.request(now: now) { outgoing.append(request) }
        if check.isLost(now: now) { return lose("the server does not answer") }
        if check.isAnswered, handshake == nil {
            do {
                handshake = try DTLSHandshake(
                    certificate: certificate, role: .client, peer: answer.fingerprint, now: now)
            } catch {
                return lose("\(error)")
            }
        }
        handshake?.handleTimeout(now: now)
        follow(now: now)
    }

    private func follow(now: UInt64) {
        while let datagram = handshake?.nextOutgoing() { outgoing.append(datagram) }
        switch handshake?.state {
        case .connected(let profile, let receive, let send):
            guard reception == nil else { return }
            reception = SRTPReception(profile: profile, receive: receive, send: send)
            if reception == nil { lose("libsrtp2 refused the keys") } else { state = .open }
        case .failed(let reason): lose("DTLS: \(reason)")
        case .closed: lose("the server ended it")
        case .handshaking, nil: break
        }
    }

    private func lose(_ reason: String) {
        if case .lost = state { return }
        state = .lost(reason)
    }

    /// Sends a compound.
    func send(rtcp compound: [UInt8]) {
        if let sealed = reception?.sealRTCP(compound) { outgoing.append(sealed) }
    }

    /// Tells the server that it is over.
    func close() {
        handshake?.close()
        while let datagram = handshake?.nextOutgoing() { outgoing.append(datagram) }
        lose("closed")
    }

    func nextOutgoing() -> [UInt8]? { outgoing.isEmpty ? nil : outgoing.removeFirst() }
}
