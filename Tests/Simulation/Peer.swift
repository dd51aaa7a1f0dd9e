import Mailbox
import Testing
import Wire

@testable import Dataplane

/// A participant's transport as a browser has it, on virtual time: checks, SRTP both ways, NACK and RTX both ways.
final class Peer {
    /// What a repetition needs.
    private struct SentPacket {
        var timestamp: UInt32
        var marker: Bool
        var payload: [UInt8]
        var descriptor: [UInt8]?
    }

    /// What came in on one SSRC.
    struct Inbox {
        var sequences: [UInt64] = []
        var timestamps: [UInt32] = []
        var payloads: [UInt64: [UInt8]] = [:]
        var highest: UInt64?
        var missing: Set<UInt64> = []
        var askedAt: [UInt64: UInt64] = [:]
    }

    unowned let world: World
    let worker: Int
    let session: SessionHandle
    var password: String
    var endpoint: Endpoint
    let mac: MACAddress
    /// Where the port's hash puts its frames.
    var queue = 0
    var ufrag: OwnerUfrag
    private let engine = SRTPEngine()
    private let memory: UnsafeMutableRawPointer
    private var send: SRTPTransform!
    private var receive: SRTPTransform!
    /// By sending SSRC.
    private var rtcpIndices: [UInt32: UInt32] = [:]

    /// Packets that we sent, by SSRC and sequence number, for the worker's NACKs.
    private var sent: [UInt32: [UInt16: SentPacket]] = [:]
    private var rtxSequences: [UInt32: UInt64] = [:]
    /// Our media SSRC to our retransmission SSRC, and the payload type of that.
    var retransmission: [UInt32: (ssrc: UInt32, payloadType: UInt8)] = [:]
    /// The retransmission SSRC of a Slot to its media SSRC.
    var repairs: [UInt32: UInt32] = [:]
    var inboxes: [UInt32: Inbox] = [:]
    var asksAgain = true
    var keyframeRequests: [UInt32] = []
    /// The numbers of full intra requests.
    var intraRequests: [UInt8] = []
    var nacksReceived = 0
    var retransmissionsReceived = 0
    /// Transport-wide feedback: what it covered, and when it came, ns.
    var feedback: [(base: UInt16, received: Int, at: UInt64)] = []
    var senderReports: Set<UInt32> = []
    /// All of them, with 64-bit NTP time, timestamp, and when they came, ns.
    var clocks: [(ssrc: UInt32, ntp: UInt64, timestamp: UInt32, at: UInt64)] = []
    /// The answers to reference times of SSRC 1, and when they came, ns.
    var echoes: [(echo: ReferenceTimeEcho, at: UInt64)] = []
    var receiverReports = 0
    var bindingResponses = 0
    /// What lies around its datagrams: a relay's channel.
    var wrap: ([UInt8]) -> [UInt8] = { $0 }
    var unwrap: ([UInt8]) -> [UInt8]? = { $0 }
    var lastError: Int?
    /// Of sounds with those before them.
    static let redundantType: UInt8 = 63
    /// Sees the SSRC and the payload of each packet that is not repeated; each sound of one that has several, once more.
    var onMedia: (UInt32, [UInt8]) -> Void = { _, _ in }
    /// Sees the payload of each packet that it sends.
    var onSent: ([UInt8]) -> Void = { _ in }
    /// Whether a packet is taken, also one that is repeated: the Slot's media SSRC, the sequence number, the packet, and what
    /// was sent at first. What is not taken counts as lost.
    var takes: (UInt32, UInt64, RTPPacket, [UInt8]) -> Bool = { _, _, _, _ in true }
    /// The MIDs that came, by SSRC: of each packet.
    var names: [UInt32: [String?]] = [:]
    /// Hears of what no worker may send.
    var complain: (Comment) -> Void = { Issue.record($0) }
    var transportSequence: UInt16 = 0
    var downlink: Downlink?
    /// Tells what came by transport-wide number, each 50 ms.
    var answersFeedback = false
    /// Since the last feedback: when, ns.
    private var arrivals: [UInt16: UInt64] = [:]
    private var answeredUpTo: UInt16?
    private var answerDue: UInt64 = 0
    private var answers: UInt8 = 0
    /// Every Session's ids are its own; the worker translates.
    var extensions: ExtensionMap

    /// A peer whose Session it opens itself.
    convenience init(
        _ world: World, worker: Int = 0, index: UInt32, profile: SRTPProfile = .aeadAes128Gcm, v6: Bool = false,
        extensions: ExtensionMap = Peer.defaultExtensions
    ) {
        let session = SessionHandle(worker: UInt8(worker), index: index, generation: world.nextGeneration())
        let secret = world.random.next() & 0xffff_ffff_ffff
        let password = "peer-password-0123456789"
        let address = v6 ? IPAddress("fd00::\(100 + index)")! : IPAddress("10.0.0.\(100 + index)")!
        self.init(
            world, session: session, ufrag: OwnerUfrag(pop: 7, worker: UInt8(worker), index: index, secret: secret),
            password: password, endpoint: Endpoint(address: address, port: 40_000),
            mac: MACAddress(0x02_0000_0001_00 + UInt64(index)), extensions: extensions)
        let toWorker = Peer.key(profile, &world.random)
        let toPeer = Peer.key(profile, &world.random)
        install(profile, send: toWorker, receive: toPeer)
        world.command(
            worker,
            .openSession(OpenSession(session: session, ufragSecret: secret, password: ShortText(password)!)),
            .configureSession(session, extensions),
            .installKeys(InstallKeys(session: session, profile: profile, receive: toWorker, send: toPeer)))
        world.peers.append(self)
    }

    /// A peer of a Session that somebody else opens; `install` gives it the keys.
    init(
        _ world: World, session: SessionHandle, ufrag: OwnerUfrag, password: String, endpoint: Endpoint,
        mac: MACAddress, extensions: ExtensionMap = Peer.defaultExtensions
    ) {
        self.world = world
        self.extensions = extensions
        self.session = session
        self.ufrag = ufrag
        self.password = password
        self.endpoint = endpoint
        self.mac = mac
        worker = Int(ufrag.worker)
        memory = .allocate(byteCount: 2 * SRTPTransform.byteCount, alignment: SRTPTransform.alignment)
    }

    /// Takes the keys that both sides agreed on.
    func install(_ profile: SRTPProfile, send: SRTPMasterKey, receive: SRTPMasterKey) {
        self.send = .install(at: memory, engine: engine, profile: profile, master: send)
        self.receive = .install(at: memory + SRTPTransform.byteCount, engine: engine, profile: profile, master: receive)
    }

    var hasKeys: Bool { send != nil }

    deinit {
        send?.erase()
        receive?.erase()
        memory.deallocate()
    }

    static var defaultExtensions: ExtensionMap {
        var map = ExtensionMap()
        map.mid = 4
        map.rid = 10
        map.repairedRid = 11
        map.audioLevel = 1
        return map
    }

    /// Likewise with transport-wide sequence numbers.
    static var numberedExtensions: ExtensionMap {
        var map = defaultExtensions
        map.transportSequence = 3
        return map
    }

    static func key(_ profile: SRTPProfile, _ random: inout RandomSource) -> SRTPMasterKey {
        SRTPMasterKey(
            profile: profile, key: (0..<profile.keyLength).map { _ in UInt8(truncatingIfNeeded: random.next()) },
            salt: (0..<profile.saltLength).map { _ in UInt8(truncatingIfNeeded: random.next()) })!
    }

    // MARK: checks

    func check(
        useCandidate: Bool = true, password: String? = nil, controlled: Bool = false, to address: IPAddress? = nil,
        from source: Endpoint? = nil, priority: UInt32? = nil
    ) {
        var message = [UInt8](repeating: 0, count: 256)
        let length = message.withUnsafeMutableBytes { room -> Int in
            var writer = STUNWriter(
                into: room, class: .request, method: STUNMethod.binding,
                transactionID: STUNTransactionID(high: UInt32.random(in: 0 ... .max, using: &world.random), low: 7))!
            Array("\(ufrag.text):peer".utf8).withUnsafeBytes { writer.add(STUNAttributeType.username, $0) }
            writer.add(
                controlled ? STUNAttributeType.iceControlled : STUNAttributeType.iceControlling, UInt64(99))
            if useCandidate { writer.addFlag(STUNAttributeType.useCandidate) }
            if let priority { writer.add(STUNAttributeType.priority, priority) }
            let covered = writer.beginIntegrity()!
            let key = MessageIntegrity(utf8: password ?? self.password)
            let start = covered.baseAddress!.assumingMemoryBound(to: UInt8.self)
            var tag = key.digest(message: start, covered: covered.count)
            withUnsafeBytes(of: &tag) { writer.endIntegrity($0.baseAddress!) }
            writer.addFingerprint()
            return writer.finish()
        }
        world.send(wrap(Array(message[..<length])), from: source ?? endpoint, mac: mac, queue: queue, to: address)
    }

    /// A keep-alive that asks for no answer (RFC 8445 section 11).
    func indicate() {
        var message = [UInt8](repeating: 0, count: 64)
        let length = message.withUnsafeMutableBytes { room -> Int in
            var writer = STUNWriter(
                into: room, class: .indication, method: STUNMethod.binding,
                transactionID: STUNTransactionID(high: 1, low: world.random.next()))!
            writer.addFingerprint()
            return writer.finish()
        }
        world.send(wrap(Array(message[..<length])), from: endpoint, mac: mac, queue: queue)
    }

    // MARK: sending

    /// Sends one RTP packet with header extension; what was sent is kept for NACKs.
    func sendRTP(
        ssrc: UInt32, payloadType: UInt8, index: UInt64, timestamp: UInt32, marker: Bool = false, payload: [UInt8],
        mid: String? = nil, rid: String? = nil, repairedRid: String? = nil, audioLevel: UInt8? = nil,
        padding: UInt8 = 0, descriptor: [UInt8]? = nil, captureTime: [UInt8]? = nil, loses: Bool = false
    ) {
        let payload = padding == 0 ? payload : payload + [UInt8](repeating: 0, count: Int(padding) - 1) + [padding]
        var packet = [UInt8](repeating: 0, count: 1_600)
        let length = packet.withUnsafeMutableBytes { room -> Int in
            var header = RTPHeaderWriter(
                into: room, marker: marker, payloadType: payloadType, sequence: UInt16(truncatingIfNeeded: index),
                timestamp: timestamp, ssrc: ssrc)!
            for (id, text) in [(extensions.mid, mid), (extensions.rid, rid), (extensions.repairedRid, repairedRid)] {
                if let text { Array(text.utf8).withUnsafeBytes { _ = header.add(id, $0) } }
            }
            if let audioLevel { header.add(extensions.audioLevel, u8: audioLevel) }
            descriptor?.withUnsafeBytes { _ = header.add(extensions.dependencyDescriptor, $0) }
            captureTime?.withUnsafeBytes { _ = header.add(extensions.absCaptureTime, $0) }
            if extensions.transportSequence != 0 {
                header.add(extensions.transportSequence, be16: transportSequence)
                transportSequence &+= 1
            }
            let headerLength = header.finish()
            if padding > 0 { room[0] |= 0x20 }
            payload.withUnsafeBytes {
                (room.baseAddress! + headerLength).copyMemory(from: $0.baseAddress!, byteCount: $0.count)
            }
            let start = room.baseAddress!.assumingMemoryBound(to: UInt8.self)
            var job = SealJob(
                transform: send, source: start + headerLength, destination: start, headerLength: headerLength,
                payloadLength: payload.count, index: index, ssrc: ssrc)
            engine.seal(&job, 1)
            return job.sealedLength
        }
        sent[ssrc, default: [:]][UInt16(truncatingIfNeeded: index)] = SentPacket(
            timestamp: timestamp, marker: marker, payload: payload, descriptor: descriptor)
        onSent(payload)
        if !loses { world.send(wrap(Array(packet[..<length])), from: endpoint, mac: mac, queue: queue) }
    }

    func sendRTCP(ssrc: UInt32 = 1, _ build: (inout RTCPWriter) -> Void) {
        var packet = [UInt8](repeating: 0, count: 1_500)
        let length = packet.withUnsafeMutableBytes { room -> Int in
            var writer = RTCPWriter(into: room)
            _ = writer.addReceiverReport(ssrc: ssrc)
            build(&writer)
            rtcpIndices[ssrc, default: 0] += 1
            return engine.sealRTCP(
                send, room.baseAddress!.assumingMemoryBound(to: UInt8.self), writer.count,
                index: rtcpIndices[ssrc]!)
        }
        world.send(wrap(Array(packet[..<length])), from: endpoint, mac: mac, queue: queue)
    }

    // MARK: receiving

    /// NACKs what is missing, some milliseconds after it was found so and each 50 ms.
    func turn(_ now: UInt64) {
        for payload in downlink?.arrivals(now: now) ?? [] { receive(payload, now) }
        if answersFeedback, now >= answerDue, !arrivals.isEmpty { answer(now) }
        guard asksAgain else { return }
        // Sorted, as a run depends on nothing but its seed.
        for (ssrc, inbox) in inboxes.sorted(by: { $0.key < $1.key }) where !inbox.missing.isEmpty {
            let due = inbox.missing.filter { now - (inbox.askedAt[$0] ?? 0) >= 50_000_000 }.sorted()
            guard !due.isEmpty else { continue }
            for sequence in due { inboxes[ssrc]!.askedAt[sequence] = now }
            let list = due.prefix(64).map { UInt16(truncatingIfNeeded: $0) }
            sendRTCP { writer in
                list.withUnsafeBufferPointer { _ = writer.addNack(senderSSRC: 1, mediaSSRC: ssrc, sequences: $0) }
            }
        }
    }

    private func answer(_ now: UInt64) {
        answerDue = now + 50_000_000
        let next = answeredUpTo.map { $0 &+ 1 } ?? arrivals.keys.min()!
        // What came late is told in the report after the one that it was lost in.
        let start = next &+ UInt16(bitPattern: min(0, arrivals.keys.map { Int16(bitPattern: $0 &- next) }.min()!))
        let known = arrivals
        arrivals = [:]
        guard let last = known.keys.max(by: { $0 &- start < $1 &- start }) else { return }
        let ticks = (0...Int(last &- start)).map { place -> Int64 in
            known[start &+ UInt16(place)].map { Int64($0 / 250_000) } ?? RTCPWriter.lost
        }
        if Int16(bitPattern: last &- next) >= 0 { answeredUpTo = last }
        sendRTCP { writer in
            ticks.withUnsafeBufferPointer {
                _ = writer.addTransportFeedback(
                    senderSSRC: 1, mediaSSRC: 1, baseSequence: start, feedbackCount: answers, arrivals: $0)
            }
        }
        answers &+= 1
    }

    /// A datagram of the PoP's.
    func arrive(_ payload: [UInt8], _ now: UInt64) {
        if let downlink { downlink.take(payload, now: now) } else { receive(payload, now) }
    }

    func receive(_ payload: [UInt8], _ now: UInt64) {
        guard var bytes = unwrap(payload) else { return }
        bytes.withUnsafeMutableBytes { room in
            switch PacketKind(UnsafeRawBufferPointer(room)) {
            case .stun:
                let message = STUNMessage(UnsafeRawBufferPointer(room))
                #expect(message?.isFingerprintValid == true)
                if message?.messageClass == .success, message?.mappedEndpoint == endpoint { bindingResponses += 1 }
                lastError = message?.errorCode
            case .rtp: receiveRTP(room)
            case .rtcp: receiveRTCP(room)
            default: complain("an unexpected datagram")
            }
        }
    }

    private func receiveRTP(_ room: UnsafeMutableRawBufferPointer) {
        guard let header = RTPPacket(encrypted: UnsafeRawBufferPointer(room)) else {
            complain("a malformed packet")
            return
        }
        let isRepair = repairs[header.ssrc] != nil
        let reference = isRepair ? rtxSequences[header.ssrc] : inboxes[header.ssrc]?.highest
        let index = reference.map { SequenceNumber.extended(header.sequence, near: $0)! } ?? UInt64(header.sequence)
        var job = OpenJob(
            transform: receive, packet: room.baseAddress!.assumingMemoryBound(to: UInt8.self),
            headerLength: header.headerLength, length: room.count, index: index, ssrc: header.ssrc)
        engine.open(&job, 1)
        guard job.ok, let plain = RTPPacket(plain: header, count: job.plainLength) else {
            complain("a packet that is not authentic")
            return
        }
        let name = plain.element(extensions.mid).map { String(decoding: $0, as: UTF8.self) }
        names[header.ssrc, default: []].append(name)
        if let number = plain.element(extensions.transportSequence) {
            arrivals[UInt16(number[0]) << 8 | UInt16(number[1])] = world.now
        }
        // Padding alone.
        guard !plain.payload.isEmpty else { return }
        if let media = repairs[header.ssrc] {
            rtxSequences[header.ssrc] = max(index, reference ?? 0)
            retransmissionsReceived += 1
            let original = RTX.originalSequence(plain.payload)!
            // What was lost at the very beginning may come as a probe.
            guard let highest = inboxes[media]?.highest else { return }
            let sequence = SequenceNumber.extended(original, near: highest)!
            let payload = Array(plain.payload.dropFirst(2))
            if takes(media, sequence, plain, payload) { note(media, sequence, plain.timestamp, payload) }
        } else {
            let payload = Array(plain.payload)
            // A Slot without RTX repeats on its own SSRC.
            if plain.payloadType == Self.redundantType {
                for sound in sounds(in: payload) { onMedia(header.ssrc, sound) }
            } else if inboxes[header.ssrc]?.askedAt[index] == nil {
                onMedia(header.ssrc, payload)
            }
            if takes(header.ssrc, index, plain, payload) { note(header.ssrc, index, plain.timestamp, payload) }
        }
    }

    /// The sounds of a payload, the new one last (RFC 2198 section 3).
    private func sounds(in payload: [UInt8]) -> [[UInt8]] {
        var lengths: [Int] = []
        var place = 0
        while payload[place] & 0x80 != 0 {
            lengths.append(Int(payload[place + 2] & 3) << 8 | Int(payload[place + 3]))
            place += 4
        }
        place += 1
        var sounds: [[UInt8]] = []
        for length in lengths {
            sounds.append(Array(payload[place..<(place + length)]))
            place += length
        }
        return sounds + [Array(payload[place...])]
    }

    private func note(_ ssrc: UInt32, _ sequence: UInt64, _ timestamp: UInt32, _ payload: [UInt8]) {
        var inbox = inboxes[ssrc] ?? Inbox()
        if let highest = inbox.highest, sequence > highest + 1 {
            inbox.missing.formUnion((highest + 1)..<sequence)
        }
        inbox.highest = max(inbox.highest ?? 0, sequence)
        inbox.missing.remove(sequence)
        inbox.sequences.append(sequence)
        inbox.timestamps.append(timestamp)
        if let before = inbox.payloads[sequence] { #expect(before == payload, "one number, two contents") }
        inbox.payloads[sequence] = payload
        inboxes[ssrc] = inbox
    }

    private func receiveRTCP(_ room: UnsafeMutableRawBufferPointer) {
        let start = room.baseAddress!.assumingMemoryBound(to: UInt8.self)
        guard let opened = engine.openRTCP(receive, start, room.count) else {
            complain("RTCP that is not authentic")
            return
        }
        var compound = RTCPCompound(UnsafeRawBufferPointer(start: room.baseAddress, count: opened.plainLength))
        while let part = compound.next() {
            if let loss = PictureLossIndication(part) { keyframeRequests.append(loss.mediaSSRC) }
            if let request = FullIntraRequest(part) { intraRequests.append(request.sequence(0)) }
            if let report = SenderReport(part) {
                senderReports.insert(report.ssrc)
                clocks.append((report.ssrc, report.ntpTime, report.rtpTimestamp, world.now))
            }
            if let echo = ExtendedReport(part)?.echo(for: 1) { echoes.append((echo, world.now)) }
            if let report = ReceiverReport(part), report.blockCount > 0 { receiverReports += 1 }
            if let message = TransportFeedback(part) {
                feedback.append((message.baseSequence, message.receivedCount, world.now))
            }
            if var nack = GenericNack(part) {
                nacksReceived += 1
                while let sequence = nack.next() { resend(nack.mediaSSRC, sequence) }
            }
        }
        #expect(compound.isComplete)
    }

    /// Repeats nothing of what it sent so far.
    func forgetSent() { sent = [:] }

    private func resend(_ ssrc: UInt32, _ sequence: UInt16) {
        guard let packet = sent[ssrc]?[sequence], let rtx = retransmission[ssrc] else { return }
        let index = rtxSequences[rtx.ssrc, default: 1_000]
        rtxSequences[rtx.ssrc] = index + 1
        sendRTP(
            ssrc: rtx.ssrc, payloadType: rtx.payloadType, index: index, timestamp: packet.timestamp,
            marker: packet.marker, payload: [UInt8(sequence >> 8), UInt8(sequence & 0xff)] + packet.payload,
            descriptor: packet.descriptor)
    }
}

extension MessageIntegrity {
    init(utf8 text: String) {
        self = Array(text.utf8).withUnsafeBytes { MessageIntegrity(key: $0) }
    }
}
