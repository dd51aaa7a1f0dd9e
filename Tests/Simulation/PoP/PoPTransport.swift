import Agents
import Mailbox
import Wire

@testable import Dataplane

/// The media side of a simulated client, from the answer to its offer on: ICE, DTLS, what it sends and what it gets.
final class PoPTransport {
    /// What a packet says of itself in its last bytes.
    struct Stamp: Equatable {
        var publisher: UInt8
        var kind: MediaKind
    }

    let offer: PoPOffer
    private(set) var answer: PoPAnswer
    let peer: Peer
    /// The Slots' mids by their SSRCs.
    let mids: [UInt32: String]
    /// Nothing leaves the client and nothing reaches it.
    var isCut = false
    /// The server ended it.
    private(set) var isClosed = false
    /// Sees the mid and the stamp of each packet.
    var onPacket: (String, Stamp?) -> Void = { _, _ in }

    private let world: World
    private let number: UInt8
    private let certificate: Certificate
    private var handshake: DTLSHandshake?
    private var checkedAt: UInt64?
    /// The first check that had no answer yet.
    private var askedAt: UInt64?
    private var sequence: UInt64 = 100
    private var picture: UInt16 = 1
    /// Layers and the screen of which the next picture is a keyframe.
    private var due: Set<UInt32>
    /// Layers and the screen that are not sent, as nobody wants them.
    var unwanted: Set<UInt32> = [] {
        didSet { due.formUnion(oldValue.subtracting(unwanted)) }
    }
    private var queue: Int

    init?(_ world: World, number: UInt8, offer: PoPOffer, answer: PoPAnswer, port: UInt16, certificate: Certificate) {
        let ufrag = Array(answer.ufrag.utf8).withUnsafeBytes { OwnerUfrag($0) }
        guard let ufrag else { return nil }
        self.world = world
        self.number = number
        self.offer = offer
        self.answer = answer
        self.certificate = certificate
        // The NIC's hash knows nothing of the Session's home.
        queue = Int(port) % world.mailboxes.count
        mids = Dictionary(uniqueKeysWithValues: answer.slots.map { ($0.ssrc, $0.mid) })
        due = Set(offer.cameraSSRCs + [offer.screenSSRC])
        peer = Peer(
            world, session: .none, ufrag: ufrag, password: answer.password,
            endpoint: Endpoint(address: IPAddress("10.0.0.\(100 + UInt32(number))")!, port: port),
            mac: MACAddress(0x02_0000_0001_00 + UInt64(number)), extensions: Peer.numberedExtensions)
        peer.answersFeedback = true
        for slot in answer.slots { if let rtx = slot.rtxSsrc { peer.repairs[rtx] = slot.ssrc } }
        for (index, ssrc) in offer.cameraSSRCs.enumerated() where index == 0 && offer.cameraLayers == 1 {
            peer.retransmission[ssrc] = (offer.ssrc + 15, 97)
        }
        peer.queue = queue
        peer.onMedia = { [unowned self] ssrc, payload in
            if let mid = mids[ssrc] { onPacket(mid, Self.stamp(payload)) }
        }
    }

    var isConnected: Bool { peer.hasKeys && !isClosed }
    /// Its checks have had no answer for long.
    var isUnanswered: Bool { askedAt.map { world.now >= $0 + 8_000_000_000 } ?? false }

    // MARK: connecting

    /// Goes on from another address, with the credentials of this answer; false when it is of another session.
    func restart(_ answer: PoPAnswer, port: UInt16) -> Bool {
        let ufrag = Array(answer.ufrag.utf8).withUnsafeBytes { OwnerUfrag($0) }
        guard let ufrag, answer.slots == self.answer.slots, !isClosed else { return false }
        self.answer = answer
        (peer.ufrag, peer.password) = (ufrag, answer.password)
        peer.endpoint.port = port
        queue = Int(port) % world.mailboxes.count
        peer.queue = queue
        peer.bindingResponses = 0
        (checkedAt, askedAt, isCut) = (nil, nil, false)
        return true
    }

    /// Checks, and repeats what was lost.
    func turn() {
        guard !isClosed else { return }
        let interval: UInt64 = isConnected && peer.bindingResponses > 0 ? 2_000_000_000 : 40_000_000
        if checkedAt.map({ world.now >= $0 + interval }) ?? true {
            checkedAt = world.now
            if askedAt == nil { askedAt = world.now }
            if !isCut { peer.check() }
        }
        guard !isCut else { return }
        if peer.hasKeys { peer.turn(world.now) }
        handshake?.handleTimeout(now: world.now)
        sendHandshake()
    }

    func receive(_ payload: [UInt8]) {
        guard !isCut, !isClosed else { return }
        switch payload.withUnsafeBytes({ PacketKind($0) }) {
        case .dtls:
            guard let handshake else { return }
            payload.withUnsafeBytes { handshake.receive($0, now: world.now) }
            sendHandshake()
            takeState(of: handshake)
        case .stun:
            peer.receive(payload, world.now)
            guard peer.bindingResponses > 0 else { return }
            askedAt = nil
            beginHandshake()
        default:
            // The server's last flight may be lost, and what it sends from then on come first.
            if peer.hasKeys { peer.receive(payload, world.now) }
        }
    }

    /// The user ends the connection.
    func close() {
        handshake?.close()
        sendHandshake()
        isClosed = true
    }

    private func beginHandshake() {
        guard handshake == nil, let fingerprint = answer.fingerprint else { return }
        handshake = try? DTLSHandshake(certificate: certificate, role: .client, peer: fingerprint, now: world.now)
        sendHandshake()
    }

    private func takeState(of handshake: DTLSHandshake) {
        switch handshake.state {
        case .handshaking: break
        case .connected(let profile, let receive, let send):
            if !peer.hasKeys { peer.install(profile, send: send, receive: receive) }
        case .failed, .closed: isClosed = true
        }
    }

    private func sendHandshake() {
        while let datagram = handshake?.nextOutgoing() {
            if !isCut { world.send(datagram, from: peer.endpoint, mac: peer.mac, queue: queue) }
        }
    }

    // MARK: sending

    /// Sends a packet of sound and a picture in each layer; nothing that is nil or off.
    func send(audioLevel: UInt8?, video: Bool, screen: Bool) {
        guard isConnected, !isCut else { return }
        for ssrc in peer.keyframeRequests {
            // As libwebrtc answers: on all layers.
            if offer.cameraSSRCs.contains(ssrc) { due.formUnion(offer.cameraSSRCs) } else { due.insert(ssrc) }
        }
        peer.keyframeRequests.removeAll()
        sequence += 1
        let timestamp = UInt32(truncatingIfNeeded: world.now / 1_000_000)
        if let audioLevel, offer.microphone {
            peer.sendRTP(
                ssrc: offer.ssrc, payloadType: 111, index: sequence, timestamp: timestamp &* 48,
                payload: [0xde, 0xad] + stamp(.audio), mid: "a", audioLevel: audioLevel)
        }
        picture = (picture + 1) & 0x7fff
        if video {
            for (layer, ssrc) in offer.cameraSSRCs.enumerated() {
                let height = Camera.heights[3 - offer.cameraLayers + layer]
                let rid = offer.cameraLayers > 1 ? PoPOffer.rids[layer] : nil
                sendPicture(ssrc, .video, height: height, mid: "v", rid: rid, timestamp &* 90)
            }
        }
        if screen, offer.screen {
            sendPicture(offer.screenSSRC, .screen, height: 1_080, mid: "s", rid: nil, timestamp &* 90)
        }
    }

    /// These of `all` are sent from now on; what begins does so with a keyframe.
    func want(_ wanted: [UInt32], of all: [UInt32]) {
        unwanted = unwanted.union(all).subtracting(wanted)
    }

    /// One packet of VP8 (RFC 7741) with the numbers that a worker rewrites.
    private func sendPicture(
        _ ssrc: UInt32, _ kind: MediaKind, height: UInt16, mid: String, rid: String?, _ timestamp: UInt32
    ) {
        guard !unwanted.contains(ssrc) else { return }
        let isKeyframe = due.remove(ssrc) != nil
        let descriptor: [UInt8] = [
            0x90, 0xc0, 0x80 | UInt8(picture >> 8), UInt8(picture & 0xff), UInt8(picture & 0xff),
        ]
        let head: [UInt8] = [isKeyframe ? 0 : 1, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01]
        let payload = descriptor + head + [UInt8(height & 0xff), UInt8(height >> 8)] + stamp(kind)
        peer.sendRTP(
            ssrc: ssrc, payloadType: 96, index: sequence, timestamp: timestamp, marker: true, payload: payload,
            mid: mid,
            rid: rid)
    }

    private func stamp(_ kind: MediaKind) -> [UInt8] { [0x5a, number, kind.rawValue] }

    private static func stamp(_ payload: [UInt8]) -> Stamp? {
        guard payload.count >= 3, payload[payload.count - 3] == 0x5a, let kind = MediaKind(rawValue: payload.last!)
        else {
            return nil
        }
        return Stamp(publisher: payload[payload.count - 2], kind: kind)
    }
}
