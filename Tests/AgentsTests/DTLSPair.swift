import COpenSSL
import Wire

@testable import Agents

/// Two ends of an association and the wire between them, on virtual time.
struct Pair {
    let ourCertificate: Certificate
    let theirCertificate: Certificate
    let us: DTLSHandshake
    let them: DTLSHandshake
    /// Nanoseconds.
    var now: UInt64 = 0
    /// Which datagrams are lost, counted from 0 over both directions.
    var drop: Set<Int> = []
    /// Sent to both ends before each datagram.
    var noise: (() -> [UInt8])?
    private(set) var sent = 0
    private(set) var largest = 0
    /// What was delivered to us.
    private(set) var record: [[UInt8]] = []

    init(
        ours: [SRTPProfile] = [.aeadAes128Gcm], theirs: [SRTPProfile] = [.aeadAes128Gcm],
        ourRole: DTLSRole = .server, certificate: Certificate? = nil, promised: Fingerprint? = nil, mtu: Int = 1200
    ) throws {
        ourCertificate = try Certificate(profiles: ours, notBefore: 1_700_000_000)
        theirCertificate = try certificate ?? Certificate(profiles: theirs, notBefore: 1_700_000_000)
        us = try DTLSHandshake(
            certificate: ourCertificate, role: ourRole, peer: promised ?? theirCertificate.fingerprint, mtu: mtu,
            now: 0)
        them = try DTLSHandshake(
            certificate: theirCertificate, role: ourRole == .server ? .client : .server,
            peer: ourCertificate.fingerprint, mtu: mtu, now: 0)
    }

    /// Delivers datagrams and moves time to the next timer, until nothing is left to do or a minute is over.
    mutating func run() {
        let end = now + 60_000_000_000
        while now < end {
            let quiet = !deliver(from: them, to: us, keep: true) && !deliver(from: us, to: them, keep: false)
            guard quiet else { continue }
            guard let next = [us.timeout, them.timeout].compactMap({ $0 }).min() else { return }
            now = max(now, next)
            us.handleTimeout(now: now)
            them.handleTimeout(now: now)
        }
    }

    /// As `run`, over a network that takes `delay` each way.
    mutating func run(oneWay delay: UInt64) {
        var flying: [(at: UInt64, isToUs: Bool, bytes: [UInt8])] = []
        let end = now + 60_000_000_000
        while now < end {
            for (sender, isToUs) in [(us, false), (them, true)] {
                while let datagram = sender.nextOutgoing() {
                    flying.append((now + delay, isToUs, datagram))
                    sent += 1
                }
            }
            guard let next = (flying.map(\.at) + [us.timeout, them.timeout].compactMap { $0 }).min() else { return }
            now = max(now, next)
            for datagram in flying where datagram.at <= now {
                (datagram.isToUs ? us : them).receive(datagram.bytes, now: now)
            }
            flying.removeAll { $0.at <= now }
            us.handleTimeout(now: now)
            them.handleTimeout(now: now)
        }
    }

    private mutating func deliver(from sender: DTLSHandshake, to receiver: DTLSHandshake, keep: Bool) -> Bool {
        var delivered = false
        while let datagram = sender.nextOutgoing() {
            delivered = true
            largest = max(largest, datagram.count)
            defer { sent += 1 }
            if let noise { receiver.receive(noise(), now: now) }
            guard !drop.contains(sent) else { continue }
            if keep { record.append(datagram) }
            receiver.receive(datagram, now: now)
        }
        return delivered
    }
}

/// An established association's keys as arrays, to compare.
struct Keys {
    var profile: SRTPProfile
    var receive: [UInt8]
    var send: [UInt8]

    init?(_ state: DTLSHandshake.State) {
        guard case .connected(let profile, let receive, let send) = state else { return nil }
        self.profile = profile
        self.receive = Self.bytes(receive, profile)
        self.send = Self.bytes(send, profile)
    }

    private static func bytes(_ key: SRTPMasterKey, _ profile: SRTPProfile) -> [UInt8] {
        (0..<profile.keyLength).map { key.key[$0] } + (0..<profile.saltLength).map { key.salt[$0] }
    }
}

extension DTLSHandshake {
    func receive(_ bytes: [UInt8], now: UInt64) {
        bytes.withUnsafeBytes { receive($0, now: now) }
    }
}

extension DTLSHandshake.State {
    var failure: String? {
        if case .failed(let reason) = self { reason } else { nil }
    }

    var isClosed: Bool {
        if case .closed = self { true } else { false }
    }
}

extension Certificate {
    func fingerprint(_ algorithm: Fingerprint.Algorithm) -> Fingerprint? {
        SSL_CTX_get0_certificate(context).flatMap { Fingerprint(of: $0, algorithm: algorithm) }
    }
}

/// Cuts a datagram of one unfragmented handshake message into `count` datagrams (RFC 6347 section 4.2.3).
func fragment(_ datagram: [UInt8], into count: Int, firstRecord: UInt8 = 0) -> [[UInt8]] {
    let record = Array(datagram[..<13])
    let header = Array(datagram[13..<25])
    let body = Array(datagram[25...])
    let size = (body.count + count - 1) / count
    return stride(from: 0, to: body.count, by: size).enumerated().map { index, offset in
        let piece = body[offset..<min(offset + size, body.count)]
        var bytes = record + header + piece
        bytes[10] &+= firstRecord + UInt8(index)
        bytes[11] = UInt8((piece.count + 12) >> 8)
        bytes[12] = UInt8((piece.count + 12) & 255)
        bytes.replaceSubrange(19..<22, with: [0, UInt8(offset >> 8), UInt8(offset & 255)])
        bytes.replaceSubrange(22..<25, with: [0, UInt8(piece.count >> 8), UInt8(piece.count & 255)])
        return bytes
    }
}

/// Puts extensions before those of a datagram of one unfragmented ClientHello (RFC 6347 section 4.2.1).
func insertExtensions(_ extensions: [UInt8], into hello: [UInt8]) -> [UInt8] {
    // Record and handshake headers, version and random; then session id, cookie, cipher suites and compression methods.
    var offset = 25 + 34
    offset += 1 + Int(hello[offset])
    offset += 1 + Int(hello[offset])
    offset += 2 + (Int(hello[offset]) << 8 | Int(hello[offset + 1]))
    offset += 1 + Int(hello[offset])
    var bytes = hello
    bytes.insert(contentsOf: extensions, at: offset + 2)
    func setLength(_ count: Int, at place: Int) {
        bytes[place] = UInt8(count >> 8)
        bytes[place + 1] = UInt8(count & 255)
    }
    setLength(bytes.count - offset - 2, at: offset)
    setLength(bytes.count - 13, at: 11)
    setLength(bytes.count - 25, at: 15)
    setLength(bytes.count - 25, at: 23)
    return bytes
}
