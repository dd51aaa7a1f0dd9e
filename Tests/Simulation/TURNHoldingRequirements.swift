import Mailbox
import Testing
import Wire

@testable import Dataplane

extension TURNRequirement {
    static let refreshing: [TURNRequirement] = [
        .init("8.2", "no allocation: mismatch") { stage in
            let user = user(stage, allocates: false)
            #expect(user.refresh(600)?.errorCode == 437 && user.permit(peer)?.errorCode == 437)
            #expect(user.bind(0x4000, peer)?.errorCode == 437)
        },
        .init("8.2", "lifetime 0 deletes, and says so") { stage in
            let user = user(stage)
            let answer = try #require(user.refresh(0))
            #expect(answer.isSuccess && answer.number(STUNAttributeType.lifetime) == 0 && answer.isSigned)
            stage.expectNothingHeld()
            #expect(user.refresh(600)?.errorCode == 437 && user.allocate()?.isSuccess == true)
            #expect(stage.events.count == 3)
        },
        .init("8.2", "a refresh sets the lifetime anew; without it the allocation ends") { stage in
            let user = user(stage)
            stage.world.leap(seconds: 599)
            #expect(user.refresh(700)?.number(STUNAttributeType.lifetime) == 700)
            stage.world.leap(seconds: 699)
            #expect(user.refresh(nil)?.number(STUNAttributeType.lifetime) == 600)
            stage.world.leap(seconds: 601)
            stage.run(2)
            stage.expectNothingHeld()
            #expect(user.refresh(600)?.errorCode == 437)
        },
        .init("8.2", "another family than the allocation's is a mismatch") { stage in
            #expect(user(stage).refresh(600) { $0.addFamily(2) }?.errorCode == 443)
        },
        .init("8.2", "of two families one can be deleted") { stage in
            let user = user(stage, allocates: false)
            user.allocate { $0.addFamily(2, STUNAttributeType.additionalAddressFamily) }
            #expect(user.bind(0x4000, peer)?.isSuccess == true && user.bind(0x4001, peerV6)?.isSuccess == true)
            #expect(user.refresh(0) { $0.addFamily(1) }?.isSuccess == true)
            #expect(stage.world.worker().pointee.relay.fault() == nil)
            #expect(user.permit(peer)?.errorCode == 443 && user.permit(peerV6)?.isSuccess == true)
            #expect(user.refresh(0) { $0.addFamily(2) }?.isSuccess == true)
            stage.expectNothingHeld()
        },
    ]

    static let permissions: [TURNRequirement] = [
        .init("10.2", "a peer address is required and well-formed") { stage in
            let user = user(stage)
            #expect(user.permit()?.errorCode == 400)
            #expect(
                user.call(STUNMethod.createPermission) { $0.addFlag(STUNAttributeType.xorPeerAddress) }?.errorCode
                    == 400)
        },
        .init("10.2", "several are installed together, for any port") { stage in
            let user = user(stage)
            #expect(user.permit(peer, other)?.isSuccess == true)
            stage.send([1], from: Endpoint(address: other.address, port: 77), to: user.relayed)
            stage.run(2)
            #expect(user.takeArrivals().count == 1)
        },
        .init("10.2", "when one is refused none is installed") { stage in
            let user = user(stage)
            let answer = try #require(user.permit(peer, Endpoint("127.0.0.1:1")!))
            #expect(answer.errorCode == 403 && answer.isSigned)
            #expect(stage.world.worker().pointee.relay.permitted.count == 0)
        },
        .init("10.2", "a peer of another family than the relayed address is a mismatch") { stage in
            #expect(user(stage).permit(peerV6)?.errorCode == 443)
        },
        .init("9", "a permission lasts 5 minutes; a request renews it, traffic does not") { stage in
            let user = user(stage)
            user.refresh(3_600)
            user.permit(peer)
            stage.world.leap(seconds: 298)
            user.sendIndication([1], to: peer)
            stage.send([1], from: peer, to: user.relayed)
            stage.run(4)
            #expect(user.takeArrivals().count == 1)
            #expect(user.permit(peer)?.isSuccess == true)
            stage.world.leap(seconds: 298)
            stage.send([2], from: peer, to: user.relayed)
            stage.run(2)
            #expect(user.takeArrivals().count == 1)
            stage.world.leap(seconds: 3)
            stage.send([3], from: peer, to: user.relayed)
            stage.run(2)
            #expect(user.takeArrivals().isEmpty && stage.counters[.relayNoPermission] == 1)
        },
        .init(
            "10.2", "too many are insufficient capacity",
            configuration: TURNStage.configuration(limits: RelayLimits(permissions: 4))
        ) {
            stage in
            let user = user(stage)
            for number in 200...203 { #expect(user.permit(Endpoint("10.0.0.\(number):1")!)?.isSuccess == true) }
            #expect(user.permit(Endpoint("10.0.0.204:1")!)?.errorCode == 508)
            #expect(user.permit(Endpoint("10.0.0.200:1")!)?.isSuccess == true)
        },
        .init(
            "21.1", "new peers a second are limited",
            configuration: TURNStage.configuration(limits: RelayLimits(peerRate: 1, peerBurst: 3))
        ) { stage in
            let user = user(stage)
            let codes = (200...208).map { user.permit(Endpoint("10.0.0.\($0):1")!)?.errorCode }
            #expect(codes.filter { $0 == nil }.count == 4 && codes.last == 508)
            stage.world.leap(seconds: 2)
            #expect(user.permit(Endpoint("10.0.0.208:1")!)?.isSuccess == true)
        },
        .init("11.2", "Send without permission, DATA or address, or with unknown attributes, is ignored") { stage in
            let user = user(stage)
            user.sendIndication([1], to: peer)
            user.permit(peer)
            user.send(
                user.message(STUNMethod.send, class: .indication, isBare: true) {
                    $0.add(STUNAttributeType.xorPeerAddress, xored: peer)
                })
            user.send(
                user.message(STUNMethod.send, class: .indication, isBare: true) {
                    $0.add(STUNAttributeType.data, text: "x")
                })
            user.sendIndication([1], to: peer) { $0.add(0x7fff, UInt32(1)) }
            stage.run(3)
            #expect(stage.take(peer).isEmpty && user.collect().isEmpty)
            #expect(stage.counters[.relayNoPermission] == 1 && stage.counters[.relayMalformed] == 3)
        },
        .init("11.2", "DONT-FRAGMENT sets the DF bit, its absence does not") { stage in
            let user = user(stage)
            user.permit(peer)
            user.sendIndication([0], to: peer)
            stage.run(4)
            _ = stage.take(peer)
            user.sendIndication([1], to: peer)
            user.sendIndication([2], to: peer) { $0.addFlag(STUNAttributeType.dontFragment) }
            stage.run(3)
            let frames = stage.take(peer)
            #expect(frames.map { $0.frame[20] } == [0, 0x40] && frames.allSatisfy(\.isChecksumValid))
        },
        .init("11.3", "a peer without permission is ignored; one with it arrives as Data") { stage in
            let user = user(stage)
            stage.send([1], from: peer, to: user.relayed)
            stage.run(2)
            #expect(user.takeArrivals().isEmpty && stage.counters[.relayNoPermission] == 1)
            user.permit(peer)
            stage.send([1], from: peer, to: user.relayed)
            stage.run(2)
            let data = try #require(user.takeArrivals().first.map { TURNAnswer(bytes: $0.payload) })
            #expect(data.method == STUNMethod.data && data.value(STUNAttributeType.data) == [1])
            #expect(data.endpoints(STUNAttributeType.xorPeerAddress) == [peer])
        },
        .init("21.2", "peers that nobody outside could reach are refused in every disguise") { stage in
            let user = user(stage, allocates: false)
            user.allocate { $0.addFamily(2, STUNAttributeType.additionalAddressFamily) }
            for text in [
                "127.0.0.1", "0.0.0.0", "10.1.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1",
                "169.254.1.1",
                "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.51.100.9", "203.0.113.1", "198.18.0.1",
                "192.0.0.1", "::1", "::", "fe80::1", "fc00::1", "fdff::1", "ff02::1", "::127.0.0.1", "64:ff9b::7f00:1",
                "64:ff9b::a01:1", "64:ff9b:1::1", "2002:7f00:1::1", "2002:c0a8:1::1", "2001:0:0a00:1::1",
                "2001:0:808:808:0:0:80ff:fffe", "2001:db8::1", "100::1", "2a00::5efe:a00:1", "2a00::200:5efe:7f00:1",
            ] {
                let address = try #require(IPAddress(text))
                #expect(user.permit(Endpoint(address: address, port: 1))?.errorCode == 403, "\(text)")
            }
            for text in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2a00::1", "64:ff9b::808:808", "2002:808:808::1"] {
                let address = try #require(IPAddress(text))
                #expect(user.permit(Endpoint(address: address, port: 1))?.isSuccess == true, "\(text)")
            }
        },
    ]

    static let channels: [TURNRequirement] = [
        .init("12.2", "number and peer are required, and the number is in 0x4000 to 0x4fff") { stage in
            let user = user(stage)
            for number: UInt16 in [0x3fff, 0x5000, 0x7fff, 0xffff, 0] {
                #expect(user.bind(number, peer)?.errorCode == 400)
            }
            #expect(user.bind(0x4fff, peer)?.isSuccess == true)
            #expect(
                user.call(STUNMethod.channelBind) { $0.add(STUNAttributeType.channelNumber, UInt32(0x4001_0000)) }?
                    .errorCode == 400)
            #expect(
                user.call(STUNMethod.channelBind) { $0.add(STUNAttributeType.xorPeerAddress, xored: peer) }?.errorCode
                    == 400)
        },
        .init("12.2", "one number for one peer, and one peer for one number") { stage in
            let user = user(stage)
            #expect(user.bind(0x4000, peer)?.isSuccess == true && user.bind(0x4000, peer)?.isSuccess == true)
            #expect(user.bind(0x4000, other)?.errorCode == 400 && user.bind(0x4001, peer)?.errorCode == 400)
            #expect(user.bind(0x4004, other)?.isSuccess == true)
        },
        .init("12.2", "a refused peer, and one of another family") { stage in
            #expect(user(stage).bind(0x4000, Endpoint("192.168.1.1:1")!)?.errorCode == 403)
            #expect(TURNUser(stage, "10.0.0.100:4000").bind(0x4000, peerV6)?.errorCode == 443)
        },
        // 5 minutes by the letter; clients that renew their channels alone rely on servers that grant more.
        .init("12.2", "binding permits the peer for as long as the channel lasts") { stage in
            let user = user(stage)
            user.refresh(3_600)
            user.bind(0x4000, peer)
            stage.send([1], from: Endpoint(address: peer.address, port: 1), to: user.relayed)
            stage.run(2)
            #expect(user.takeArrivals().count == 1)
            stage.world.leap(seconds: 599)
            stage.send([1], from: Endpoint(address: peer.address, port: 1), to: user.relayed)
            stage.send([1], from: peer, to: user.relayed)
            stage.run(2)
            #expect(user.takeArrivals().count == 2)
            stage.world.leap(seconds: 2)
            stage.send([1], from: peer, to: user.relayed)
            stage.run(2)
            #expect(user.takeArrivals().isEmpty)
        },
        .init("12", "a channel lasts 10 minutes unless it is bound again") { stage in
            let user = user(stage)
            user.refresh(3_600)
            user.bind(0x4000, peer)
            stage.world.leap(seconds: 599)
            user.bind(0x4000, peer)
            stage.world.leap(seconds: 599)
            user.send(TURNUser.channelData(0x4000, [1]))
            stage.run(4)
            user.send(TURNUser.channelData(0x4000, [1]))
            stage.run(4)
            #expect(!stage.take(peer).isEmpty)
            stage.world.leap(seconds: 2)
            user.send(TURNUser.channelData(0x4000, [2]))
            stage.run(3)
            #expect(stage.take(peer).isEmpty && stage.counters[.relayNoChannel] == 1)
            #expect(user.bind(0x4001, peer)?.isSuccess == true)
        },
        .init("12.6", "ChannelData on no channel, or longer than its datagram, is ignored") { stage in
            let user = user(stage)
            user.bind(0x4000, peer)
            user.send(TURNUser.channelData(0x4001, [1]))
            user.send([0x40, 0, 0, 9, 1])
            user.send([0x40, 0])
            stage.run(3)
            #expect(stage.take(peer).isEmpty && stage.counters[.relayNoChannel] == 1)
            #expect(stage.counters[.relayMalformed] == 2)
        },
        .init("12.7", "what a peer sends goes by its channel, and as Data when the channel is gone") { stage in
            let user = user(stage)
            user.refresh(3_600)
            user.bind(0x4000, peer)
            stage.send([1], from: peer, to: user.relayed)
            stage.world.leap(seconds: 500)
            user.permit(peer)
            stage.world.leap(seconds: 101)
            stage.send([2], from: peer, to: user.relayed)
            stage.run(3)
            let kinds = user.takeArrivals().map { $0.payload[0] }
            #expect(kinds == [0x40, 0x00] || kinds == [0x00])
        },
        .init(
            "12.2", "too many are insufficient capacity",
            configuration: TURNStage.configuration(limits: RelayLimits(channels: 2))
        ) {
            stage in
            let user = user(stage)
            for number: UInt16 in 0...1 {
                #expect(user.bind(0x4000 + number, Endpoint("10.0.0.\(200 + number):1")!)?.isSuccess == true)
            }
            #expect(user.bind(0x4002, Endpoint("10.0.0.202:1")!)?.errorCode == 508)
        },
    ]

    static let mobility: [TURNRequirement] = [
        .init("RFC 8016 3.2", "a ticket moves the allocation to another 5-tuple; each is good once") {
            try MobilityCheck.aTicketMoves($0)
        },
        .init(
            "RFC 8016 3.2.1", "mobility that is not served is forbidden",
            configuration: MobilityCheck.forbidden
        ) { stage in
            let answer = user(stage, allocates: false).allocate { $0.addFlag(STUNAttributeType.mobilityTicket) }
            #expect(answer?.errorCode == 405)
        },
        .init("RFC 8016 3.2.2", "a ticket without the key moves nothing") { try MobilityCheck.aKeyIsNeeded($0) },
    ]
}

private enum MobilityCheck {
    static var forbidden: RelayConfiguration {
        var configuration = TURNStage.configuration()
        configuration.allowsMobility = false
        return configuration
    }

    static func ticket(of user: TURNUser) throws -> [UInt8] {
        let answer = user.allocate { $0.addFlag(STUNAttributeType.mobilityTicket) }
        return try #require(answer?.value(STUNAttributeType.mobilityTicket))
    }

    static func show(_ ticket: [UInt8], _ user: TURNUser, lifetime: UInt32 = 600) -> TURNAnswer? {
        user.learnNonce()
        return user.refresh(lifetime) { $0.add(STUNAttributeType.mobilityTicket, bytes: ticket) }
    }

    static func aTicketMoves(_ stage: TURNStage) throws {
        let user = TURNRequirement.user(stage, allocates: false)
        let ticket = try ticket(of: user)
        let peer = TURNRequirement.peer
        // Some clients keep it as a C string.
        #expect(ticket.count == TURNTicket.length && !ticket.contains(0))
        #expect(user.bind(0x4000, peer)?.isSuccess == true)
        user.endpoint = Endpoint("10.0.0.130:4100")!
        let moved = try #require(show(ticket, user))
        #expect(moved.isSuccess && moved.value(STUNAttributeType.mobilityTicket) != ticket)
        user.send(TURNUser.channelData(0x4000, [1]))
        stage.send([2], from: peer, to: user.relayed)
        stage.run(4)
        #expect(stage.take(peer).map(\.payload) == [[1]])
        #expect(user.takeArrivals().map(\.payload) == [TURNUser.channelData(0x4000, [2])])
        user.endpoint = Endpoint("10.0.0.131:4100")!
        #expect(show(ticket, user)?.errorCode == 437)
    }

    static func aKeyIsNeeded(_ stage: TURNStage) throws {
        let user = TURNRequirement.user(stage, allocates: false)
        let ticket = try ticket(of: user)
        let thief = TURNUser(stage, "10.0.0.140:4000")
        thief.learnNonce()
        thief.key[3] ^= 1
        #expect(show(ticket, thief, lifetime: 0)?.errorCode == 401)
        #expect(user.refresh(600)?.isSuccess == true)
    }
}
