import Mailbox
import Testing
import Wire

@testable import Dataplane

/// Workers that relay, the neighbours around them, and a control that knows its users' keys.
final class TURNStage {
    /// A datagram that left the port.
    struct Received {
        var source: Endpoint
        var payload: [UInt8]
        var frame: [UInt8]
        var isChecksumValid: Bool
        var bytes: ArraySlice<UInt8> { payload[...] }
    }

    static let realm = "lab"
    static let secret: (UInt64, UInt64, UInt64, UInt64) = (1, 2, 3, 4)
    static let media = Endpoint(address: World.address, port: World.mediaPort)
    static let mediaV6 = Endpoint(address: World.addressV6, port: World.mediaPort)

    let world: World
    /// By destination.
    var inboxes: [Endpoint: [Received]] = [:]
    var events: [TURNEvent] = []
    var departures: [TURNStreamMessage] = []
    /// Requests that control saw; it answers while `answers`.
    var requests: [TURNRequest] = []
    var answers = true
    /// Which worker's queue a source's frames come to.
    var queue: (Endpoint) -> Int = { _ in 0 }
    var bandwidth: UInt64 = 0
    var maximumLifetime: UInt32 = 3_600
    private var waiting: [(Int, TURNRequest)] = []

    /// Who may allocate; a user's key is made of the name.
    static func key(of name: String) -> [UInt8] { Array((name + "................").utf8.prefix(16)) }

    static func configuration(
        ports: ClosedRange<UInt16> = 50_000...50_063, alternates: [UInt16] = [], limits: RelayLimits = .init(),
        v4: RelayConfiguration.RelayAddress? = .init(local: World.address),
        v6: RelayConfiguration.RelayAddress? = .init(local: World.addressV6),
        channelNumbers: ClosedRange<UInt16> = ChannelData.numbers
    ) -> RelayConfiguration {
        RelayConfiguration(
            realm: realm, secret: secret, alternatePorts: alternates, v4: v4, v6: v6, ports: ports,
            allowedPeers: [
                .init(address: IPAddress("10.0.0.0")!, length: 24), .init(address: IPAddress("fd00::")!, length: 64),
            ], channelNumbers: channelNumbers, limits: limits)
    }

    init(
        workers: Int = 1, seed: UInt64 = 1, configuration: RelayConfiguration = TURNStage.configuration(),
        allocations: Int = 64, buffers: Int = 8_191, mtu: Int = 1_500
    ) throws {
        world = try World(
            workers: workers, seed: seed, buffers: buffers, relay: configuration, allocations: allocations,
            mtu: mtu)
        world.onFrame = { [unowned self] in take($0) }
    }

    var counters: LocalCountersView { LocalCountersView(stage: self) }

    /// Lets virtual time pass; control looks once a millisecond.
    func run(_ milliseconds: Int = 1) {
        for _ in 0..<milliseconds {
            world.run(1)
            control()
        }
    }

    /// Lets time pass in which nobody says anything.
    func pass(seconds: Int) {
        for _ in 0..<seconds {
            world.turn(after: 1_000_000_000)
            control()
        }
    }

    private func control() {
        for (worker, mailbox) in world.mailboxes.enumerated() {
            while let event = mailbox.turn.events.pop() { events.append(event) }
            while let message = mailbox.turn.departures.pop() { departures.append(message) }
            while let request = mailbox.turn.requests.pop() {
                requests.append(request)
                waiting.append((worker, request))
            }
        }
        guard answers else { return }
        for (worker, request) in waiting { answer(request, worker) }
        waiting.removeAll()
    }

    /// Users are called "user" and something; others are refused.
    private func answer(_ request: TURNRequest, _ worker: Int) {
        let bytes = withUnsafeBytes(of: request.bytes) { Array($0.prefix(Int(request.count))) }
        let command: TURNCommand = bytes.withUnsafeBytes { raw in
            guard let message = STUNMessage(raw), let username = message.username else {
                return .refuse(RefuseAllocation(request, code: 400))
            }
            let name = String(decoding: username, as: UTF8.self)
            let key = Self.key(of: name)
            let usesSHA256 = message.integritySHA256Offset != nil
            let integrity = key.withUnsafeBytes { TURNIntegrityKey(key: $0, usesSHA256: usesSHA256) }
            guard name.hasPrefix("user"), integrity.verify(message) else {
                return .refuse(RefuseAllocation(request, code: 401))
            }
            if name.hasSuffix("quota") {
                return .refuse(RefuseAllocation(request, code: 486, key: key, usesSHA256: usesSHA256))
            }
            return .grant(
                GrantAllocation(
                    request, key: key, usesSHA256: usesSHA256, user: UInt64(name.utf8.count), bandwidth: bandwidth,
                    maximumLifetime: maximumLifetime))
        }
        #expect(world.mailboxes[worker].turn.commands.push(command))
    }

    /// Neighbours answer for every address; datagrams go to inboxes.
    private func take(_ frame: [UInt8]) {
        frame.withUnsafeBytes { bytes in
            switch DatagramFrame.classify(bytes) {
            case .arp:
                guard let packet = ARPPacket(frame: bytes), packet.operation == .request,
                    packet.targetAddress != packet.senderAddress
                else { return }
                var reply = [UInt8](repeating: 0, count: ARPPacket.frameLength)
                reply.withUnsafeMutableBytes {
                    packet.reply(from: Self.mac(of: packet.targetAddress)).write(to: $0.baseAddress!)
                }
                world.port.deliver(reply)
            case .neighbor:
                guard let solicitation = NeighborSolicitation(frame: bytes) else { return }
                var reply = [UInt8](repeating: 0, count: NeighborAdvertisement.frameLength)
                reply.withUnsafeMutableBytes {
                    NeighborAdvertisement(answering: solicitation, owner: Self.mac(of: solicitation.target))
                        .write(to: $0.baseAddress!, nextHop: World.mac)
                }
                world.port.deliver(reply)
            case .udp(let datagram):
                let isPeer = world.peers.contains { $0.endpoint == datagram.destination }
                #expect(
                    isPeer || datagram.destinationMAC == Self.mac(of: datagram.destination.address),
                    "sent to the wrong host")
                inboxes[datagram.destination, default: []].append(
                    Received(
                        source: datagram.source, payload: Array(datagram.payload), frame: frame,
                        isChecksumValid: Self.isChecksumValid(datagram)))
            default: break
            }
        }
    }

    static func mac(of address: IPAddress) -> MACAddress { MACAddress(0x02_0000_0000_00 | address.low & 0xff_ffff) }

    /// IPv4 header and UDP.
    static func isChecksumValid(_ datagram: DatagramFrame) -> Bool {
        let length = datagram.payloadLength + UDPHeader.length
        let pseudo = InternetChecksum.pseudoHeader(
            source: datagram.source.address, destination: datagram.destination.address, protocol: IPProtocol.udp,
            length: length)
        let sum = InternetChecksum.sum(datagram.base + datagram.udpOffset, count: length)
        let header = !datagram.isV4 || InternetChecksum.finish(InternetChecksum.sum(datagram.base + 14, count: 20)) == 0
        return header && InternetChecksum.finish(pseudo &+ sum) == 0
    }

    /// How a frame's UDP checksum is.
    enum Checksum { case right, none, partial }

    /// Puts a datagram on the wire toward the port.
    func send(
        _ payload: [UInt8], from source: Endpoint, to destination: Endpoint, checksum: Checksum = .right,
        trafficClass: UInt8 = 0
    ) {
        let template = FrameTemplate(
            source: source, destination: destination, sourceMAC: Self.mac(of: source.address),
            destinationMAC: World.mac, trafficClass: trafficClass)
        var frame = [UInt8](repeating: 0, count: template.length) + payload
        frame.withUnsafeMutableBytes { bytes in
            template.write(into: bytes.baseAddress!, payloadLength: payload.count)
            switch checksum {
            case .right: template.fillChecksum(in: bytes.baseAddress!, payloadLength: payload.count)
            case .partial: template.fillPseudoHeaderSum(in: bytes.baseAddress!, payloadLength: payload.count)
            case .none: break
            }
        }
        world.port.deliver(frame, to: queue(source))
    }

    /// What came to an endpoint since the last call.
    func take(_ endpoint: Endpoint) -> [Received] {
        defer { inboxes[endpoint] = nil }
        return inboxes[endpoint] ?? []
    }

    /// Nothing is held by anybody, and nothing is lost.
    func expectNothingHeld() {
        for number in world.mailboxes.indices {
            let worker = world.worker(number)
            #expect(worker.pointee.relay.fault() == nil)
            #expect(worker.pointee.relay.allocations.count == 0 && worker.pointee.relay.clients.count == 0)
            #expect(worker.pointee.relay.permissions.freeCount == worker.pointee.relay.permissions.capacity)
            #expect(worker.pointee.relay.channels.freeCount == worker.pointee.relay.channels.capacity)
            #expect(worker.pointee.relay.portsV4.freeCount == worker.pointee.relay.portsV4.capacity)
            #expect(worker.pointee.relay.portsV6.freeCount == worker.pointee.relay.portsV6.capacity)
            #expect(worker.pointee.relay.wheel.count == 0)
        }
    }
}

/// All workers' counters together.
struct LocalCountersView {
    let stage: TURNStage

    subscript(counter: Counter) -> UInt64 {
        stage.world.mailboxes.indices.reduce(0) { $0 + stage.world.worker($1).pointee.counters[counter] }
    }
    subscript(reason: DropReason) -> UInt64 {
        stage.world.mailboxes.indices.reduce(0) { $0 + stage.world.worker($1).pointee.counters[reason] }
    }
}
