import Mailbox
import Wire

/// One participant's transport: its address, its password and its keys, which need not be secret.
struct BenchmarkPeer {
    static let us = Endpoint(address: IPAddress(v4: 0x0a00_0001), port: 3478)
    private static let password = "benchmark-password-00001"
    /// What all negotiated.
    static let transportSequenceID: UInt8 = 3
    static let audioLevelID: UInt8 = 1

    let session: SessionHandle
    let endpoint: Endpoint
    let template: FrameTemplate
    private let index: Int

    /// `index` names its place in the worker's table, and its address.
    init(index: Int, worker: Int = 0, mac: MACAddress) {
        self.index = index
        let number = UInt32(worker) << 20 | UInt32(index)
        session = SessionHandle(worker: UInt8(worker), index: UInt32(index), generation: 1)
        endpoint = Endpoint(address: IPAddress(v4: 0x0a01_0000 + number), port: 40_000)
        template = FrameTemplate(
            source: endpoint, destination: Self.us, sourceMAC: MACAddress(0x02_0000_0000_00 + UInt64(number)),
            destinationMAC: mac)
    }

    private var ufrag: OwnerUfrag {
        OwnerUfrag(pop: 1, worker: UInt8(session.worker), index: UInt32(index), secret: UInt64(index))
    }

    /// What the peer seals with, and what the worker seals with.
    func master(_ profile: SRTPProfile, isSend: Bool) -> SRTPMasterKey {
        var random = RandomSource(seed: UInt64((session.worker << 20 | index) * 2 + (isSend ? 1 : 0)))
        var master = SRTPMasterKey()
        for place in 0..<profile.keyLength { master.key[place] = UInt8(truncatingIfNeeded: random.next()) }
        for place in 0..<profile.saltLength { master.salt[place] = UInt8(truncatingIfNeeded: random.next()) }
        return master
    }

    var extensions: ExtensionMap {
        var extensions = ExtensionMap()
        extensions.transportSequence = Self.transportSequenceID
        extensions.audioLevel = Self.audioLevelID
        return extensions
    }

    func commands(profile: SRTPProfile) -> [Command] {
        [
            .openSession(
                OpenSession(session: session, ufragSecret: UInt64(index), password: ShortText(Self.password)!)),
            .configureSession(session, extensions),
            .installKeys(
                InstallKeys(
                    session: session, profile: profile, receive: master(profile, isSend: false),
                    send: master(profile, isSend: true))),
        ]
    }

    /// A Binding request with USE-CANDIDATE (RFC 8445 section 7.2.2).
    func writeCheck(into packet: Mbuf) {
        let room = UnsafeMutableRawBufferPointer(start: packet.data + template.length, count: 256)
        var writer = STUNWriter(
            into: room, class: .request, method: STUNMethod.binding,
            transactionID: STUNTransactionID(high: 1, low: UInt64(index)))!
        Array("\(ufrag.text):peer".utf8).withUnsafeBytes { writer.add(STUNAttributeType.username, $0) }
        writer.add(STUNAttributeType.iceControlling, UInt64(1))
        writer.addFlag(STUNAttributeType.useCandidate)
        let key = Array(Self.password.utf8).withUnsafeBytes { MessageIntegrity(key: $0) }
        if let covered = writer.beginIntegrity() {
            var tag = key.digest(of: UnsafeRawBufferPointer(covered))
            withUnsafeBytes(of: &tag) { writer.endIntegrity($0.baseAddress!) }
        }
        writer.addFingerprint()
        let length = writer.finish()
        template.write(into: packet.data, payloadLength: length)
        _ = packet.setLength(template.length + length)
    }
}
