import Mailbox
import Wire

@testable import Dataplane

/// What all inputs share. DPDK starts once in a process.
enum Ground {
    static let engine = SRTPEngine()
    static let pool: BufferPool = {
        do {
            try EAL.start(EAL.Configuration(hugepages: .never, memory: 64, logLevel: 4))
            return try BufferPool(name: "fuzz", count: 2_047)
        } catch {
            fatalError("DPDK did not start: \(error)")
        }
    }()
    /// By profile, then by place. All that peers have is constant, so it is made once.
    static let peers: [[FuzzPeer]] = SRTPProfile.allCases.map { profile in
        (0..<UInt32(FuzzPeer.count)).map { FuzzPeer(index: $0, profile: profile) }
    }
    static let mac = MACAddress(0x02_0000_0000_02)
    static let address = IPAddress("10.0.0.2")!
    static let addressV6 = IPAddress("fd00::2")!
    static let mediaPort: UInt16 = 3478
    static let pop: UInt16 = 7
}

/// What DPDK keeps of its arguments to the process's end is no leak.
@_cdecl("__lsan_default_suppressions")
public func leakSuppressions() -> UnsafePointer<CChar> {
    let list: StaticString = "leak:rte_eal_init\nleak:9Dataplane3EALO"
    return UnsafeRawPointer(list.utf8Start).assumingMemoryBound(to: CChar.self)
}

/// A participant's end: address, keys, and a connectivity check that is valid for its Session.
final class FuzzPeer: @unchecked Sendable {
    /// The last one is the witness: it does nothing wrong, and nothing may happen to it.
    static let count = 4

    let session: SessionHandle
    let secret: UInt64
    let password = "peer-password-0123456789"
    let endpoint: Endpoint
    let mac: MACAddress
    let profile: SRTPProfile
    let toWorker: SRTPMasterKey
    let toPeer: SRTPMasterKey
    let send: SRTPTransform
    let receive: SRTPTransform
    let check: [UInt8]

    init(index: UInt32, profile: SRTPProfile) {
        var random = RandomSource(seed: UInt64(profile.rawValue) << 32 | UInt64(index))
        session = SessionHandle(worker: 0, index: index, generation: 1)
        secret = random.next() & 0xffff_ffff_ffff
        endpoint = Endpoint(address: IPAddress("10.0.0.\(100 + index)")!, port: 40_000)
        mac = MACAddress(0x02_0000_0001_00 + UInt64(index))
        self.profile = profile
        toWorker = Self.key(profile, &random)
        toPeer = Self.key(profile, &random)
        send = Self.transform(profile, toWorker)
        receive = Self.transform(profile, toPeer)
        check = Self.check(index, secret, password)
    }

    private static func key(_ profile: SRTPProfile, _ random: inout RandomSource) -> SRTPMasterKey {
        SRTPMasterKey(
            profile: profile, key: (0..<profile.keyLength).map { _ in UInt8(truncatingIfNeeded: random.next()) },
            salt: (0..<profile.saltLength).map { _ in UInt8(truncatingIfNeeded: random.next()) })!
    }

    private static func transform(_ profile: SRTPProfile, _ master: SRTPMasterKey) -> SRTPTransform {
        .install(
            at: .allocate(byteCount: SRTPTransform.byteCount, alignment: SRTPTransform.alignment),
            engine: Ground.engine, profile: profile, master: master)
    }

    private static func check(_ index: UInt32, _ secret: UInt64, _ password: String) -> [UInt8] {
        var message = [UInt8](repeating: 0, count: 256)
        let ufrag = OwnerUfrag(pop: Ground.pop, worker: 0, index: index, secret: secret)
        let length = message.withUnsafeMutableBytes { room -> Int in
            var writer = STUNWriter(
                into: room, class: .request, method: STUNMethod.binding,
                transactionID: STUNTransactionID(high: index, low: 7))!
            Array("\(ufrag.text):peer".utf8).withUnsafeBytes { writer.add(STUNAttributeType.username, $0) }
            writer.add(STUNAttributeType.iceControlling, UInt64(99))
            writer.addFlag(STUNAttributeType.useCandidate)
            let covered = writer.beginIntegrity()!
            let key = Array(password.utf8).withUnsafeBytes { MessageIntegrity(key: $0) }
            var tag = key.digest(
                message: covered.baseAddress!.assumingMemoryBound(to: UInt8.self), covered: covered.count)
            withUnsafeBytes(of: &tag) { writer.endIntegrity($0.baseAddress!) }
            writer.addFingerprint()
            return writer.finish()
        }
        return Array(message[..<length])
    }

    /// What control tells the worker of it.
    var commands: [Command] {
        [
            .openSession(OpenSession(session: session, ufragSecret: secret, password: ShortText(password)!)),
            .configureSession(session, Self.extensions),
            .installKeys(InstallKeys(session: session, profile: profile, receive: toWorker, send: toPeer)),
        ]
    }

    static var extensions: ExtensionMap {
        var map = ExtensionMap()
        map.mid = 4
        map.rid = 10
        map.repairedRid = 11
        map.audioLevel = 1
        map.transportSequence = 3
        map.videoOrientation = 5
        map.absCaptureTime = 14
        (map.dependencyDescriptor, map.slotDescriptor) = (6, 6)
        return map
    }

    /// Seals a whole RTP packet; nil when it has no RTP header.
    func seal(_ plain: [UInt8], index: UInt64) -> [UInt8]? {
        guard let header = plain.withUnsafeBytes({ RTPPacket(encrypted: $0) }) else { return nil }
        var packet = plain + [UInt8](repeating: 0, count: profile.tagLength)
        packet.withUnsafeMutableBufferPointer { room in
            let start = room.baseAddress!
            var job = SealJob(
                transform: send, source: start + header.headerLength, destination: start,
                headerLength: header.headerLength, payloadLength: plain.count - header.headerLength, index: index,
                ssrc: header.ssrc)
            Ground.engine.seal(&job, 1)
        }
        return packet
    }

    func sealRTCP(_ plain: [UInt8], index: UInt32) -> [UInt8] {
        var packet = plain + [UInt8](repeating: 0, count: send.rtcpTrailerLength)
        packet.withUnsafeMutableBufferPointer {
            _ = Ground.engine.sealRTCP(send, $0.baseAddress!, plain.count, index: index)
        }
        return packet
    }

    /// Whether a packet that the worker sealed with `index` is for this peer.
    func opens(_ sealed: [UInt8], _ header: RTPPacket, index: UInt64) -> Bool {
        var packet = sealed
        return packet.withUnsafeMutableBufferPointer { room in
            var job = OpenJob(
                transform: receive, packet: room.baseAddress!, headerLength: header.headerLength, length: room.count,
                index: index, ssrc: header.ssrc)
            Ground.engine.open(&job, 1)
            return job.ok
        }
    }

    func opensRTCP(_ sealed: [UInt8]) -> Bool {
        var packet = sealed
        return packet.withUnsafeMutableBufferPointer {
            Ground.engine.openRTCP(receive, $0.baseAddress!, $0.count) != nil
        }
    }
}
