import Mailbox
import Testing
import Wire

@testable import Dataplane

/// TURN's data path through the worker, both ways.
@Suite struct TURNDataTests {
    static let peer = Endpoint("10.0.0.200:9000")!
    static let peerV6 = Endpoint("[fd00::200]:9000")!

    /// 1 to 1,400 bytes, odd lengths, every checksum that a sender may use.
    @Test(arguments: [TURNStage.Checksum.right, .none, .partial])
    func channelDataGoesBothWays(_ checksum: TURNStage.Checksum) throws {
        let stage = try TURNStage()
        let user = TURNUser(stage, "10.0.0.100:4000")
        #expect(user.allocate()?.isSuccess == true)
        #expect(user.bind(0x4000, Self.peer)?.isSuccess == true)
        for length in [0, 1, 2, 3, 4, 57, 1_000, 1_399, 1_400] {
            let data = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ length) }
            user.send(TURNUser.channelData(0x4000, data), checksum: checksum, trafficClass: 0xb8)
            stage.run(2)
            let there = try #require(stage.take(Self.peer).first)
            #expect(there.payload == data && there.source == user.relayed && there.isChecksumValid)
            #expect(there.frame[15] == 0xb8)
            stage.send(data, from: Self.peer, to: user.relayed, checksum: checksum, trafficClass: 0x22)
            stage.run(2)
            let back = try #require(user.takeArrivals().first)
            #expect(back.payload == TURNUser.channelData(0x4000, data) && back.source == TURNStage.media)
            #expect(back.isChecksumValid && back.frame[15] == 0x22)
        }
        #expect(stage.counters[.relayedPacketsToPeer] == 9 && stage.counters[.relayedPacketsToClient] == 9)
        #expect(stage.counters[.relayedBytesToPeer] == stage.counters[.relayedBytesToClient])
    }

    @Test func whatIsLongerThanTheDeviceTakesNeverWaitsForIt() throws {
        let stage = try TURNStage(mtu: 1_400)
        let user = TURNUser(stage, "10.0.0.100:4000")
        user.allocate()
        #expect(user.permit(Self.peer)?.isSuccess == true)
        #expect(user.bind(0x4000, Endpoint("10.0.0.201:9000")!)?.isSuccess == true)
        // As an indication it grows by 36 bytes, on a channel by 4; both have 28 of IP and UDP.
        let longest = [UInt8](repeating: 1, count: 1_400 - 28 - 36)
        for (count, source) in [(1_336, Self.peer), (1_337, Self.peer), (1_368, Endpoint("10.0.0.201:9000")!)] {
            stage.send([UInt8](repeating: 1, count: count), from: source, to: user.relayed)
        }
        stage.run(2)
        let arrivals = user.takeArrivals()
        #expect(arrivals.count == 2 && arrivals.allSatisfy { $0.frame.count <= 1_414 })
        #expect(arrivals.first?.payload.suffix(longest.count) == longest[...])
        #expect(stage.counters[.oversize] == 1)
    }

    /// As aioice 0.13 does, which sends CreatePermission never.
    @Test func aChannelThatIsRenewedAloneCarriesItsPermission() throws {
        let stage = try TURNStage()
        let user = TURNUser(stage, "10.0.0.100:4000")
        user.allocate()
        #expect(user.bind(0x4000, Self.peer)?.isSuccess == true)
        for minute in 1...20 {
            stage.pass(seconds: 60)
            #expect(user.refresh(nil)?.isSuccess == true)
            if minute % 9 == 0 { #expect(user.bind(0x4000, Self.peer)?.isSuccess == true) }
            user.send(TURNUser.channelData(0x4000, [1]))
            stage.send([2], from: Self.peer, to: user.relayed)
            stage.send([3], from: Endpoint(address: Self.peer.address, port: 9_001), to: user.relayed)
            stage.run(2)
            #expect(stage.take(Self.peer).count == 1, "after \(minute) min")
            #expect(user.takeArrivals().count == 2, "on the channel, and by its permission, after \(minute) min")
        }
        // A permission that is renewed by itself is not made shorter than the channel's.
        #expect(user.bind(0x4000, Self.peer)?.isSuccess == true)
        #expect(user.permit(Self.peer)?.isSuccess == true)
        stage.pass(seconds: 500)
        stage.send([3], from: Endpoint(address: Self.peer.address, port: 9_001), to: user.relayed)
        stage.run(2)
        #expect(user.takeArrivals().count == 1)
    }

    /// RFC 5766 section 11 had more channels than RFC 8656 section 12 leaves.
    @Test(arguments: [TURNStage.media, Endpoint(address: World.address, port: 443)])
    func formerChannelsServeWhereTheyAreAllowed(_ server: Endpoint) throws {
        let stage = try TURNStage(
            configuration: TURNStage.configuration(alternates: [443], channelNumbers: ChannelData.formerNumbers))
        let user = TURNUser(stage, "10.0.0.100:4000", server: server)
        user.allocate()
        #expect(user.bind(0x3fff, Self.peer)?.errorCode == 400 && user.bind(0x8000, Self.peer)?.errorCode == 400)
        #expect(user.bind(0x7fff, Self.peer)?.isSuccess == true)
        user.send(TURNUser.channelData(0x7fff, [1, 2, 3]))
        user.send(TURNUser.channelData(0x5000, [4]))
        stage.run(2)
        #expect(stage.take(Self.peer).map(\.payload) == [[1, 2, 3]])
        #expect(stage.counters[.relayNoChannel] == 1)
        stage.send([5, 6], from: Self.peer, to: user.relayed)
        stage.run(2)
        #expect(user.takeArrivals().map(\.payload) == [TURNUser.channelData(0x7fff, [5, 6])])
    }

    @Test func formerChannelsAreNoTURNOtherwise() throws {
        let stage = try TURNStage()
        let user = TURNUser(stage, "10.0.0.100:4000")
        user.allocate()
        user.send(TURNUser.channelData(0x7fff, [1, 2, 3]))
        stage.run(2)
        #expect(stage.counters[.unknownProtocol] == 1 && stage.counters[.relayNoChannel] == 0)
    }

    @Test func paddingBehindChannelDataIsCutOff() throws {
        let stage = try TURNStage()
        let user = TURNUser(stage, "10.0.0.100:4000")
        user.allocate()
        user.bind(0x4000, Self.peer)
        user.send(TURNUser.channelData(0x4000, [1, 2, 3, 4, 5], padding: 3))
        stage.run(2)
        let there = try #require(stage.take(Self.peer).first)
        #expect(there.payload == [1, 2, 3, 4, 5] && there.isChecksumValid)
    }

    /// IPv4 and IPv6 on either side.
    @Test(arguments: ["10.0.0.100:4000", "[fd00::100]:4000"])
    func familiesAreTranslated(_ address: String) throws {
        let stage = try TURNStage()
        let user = TURNUser(stage, address)
        #expect(user.allocate { $0.addFamily(2, STUNAttributeType.additionalAddressFamily) }?.isSuccess == true)
        #expect(user.relayed != nil && user.relayedV6 != nil)
        for (number, peer, relayed) in [(0x4001, Self.peer, user.relayed!), (0x4002, Self.peerV6, user.relayedV6!)] {
            #expect(user.bind(UInt16(number), peer)?.isSuccess == true)
            for data in [[UInt8](repeating: 7, count: 1_200), [9]] {
                user.send(TURNUser.channelData(UInt16(number), data), trafficClass: 0x88)
                stage.run(2)
                let there = try #require(stage.take(peer).first)
                #expect(there.payload == data && there.source == relayed && there.isChecksumValid)
                stage.send(data, from: peer, to: relayed)
                stage.run(2)
                let back = try #require(user.takeArrivals().first)
                #expect(back.payload == TURNUser.channelData(UInt16(number), data) && back.isChecksumValid)
            }
        }
    }

    @Test(arguments: [peer, peerV6])
    func indicationsGoBothWays(_ peer: Endpoint) throws {
        let stage = try TURNStage()
        let user = TURNUser(stage, "10.0.0.100:4000")
        user.allocate { $0.addFamily(2, STUNAttributeType.additionalAddressFamily) }
        #expect(user.permit(peer)?.isSuccess == true)
        let relayed: Endpoint = peer.address.isV4 ? user.relayed : user.relayedV6
        for length in [0, 1, 3, 4, 1_000] {
            let data = [UInt8](repeating: UInt8(length & 0xff), count: length)
            user.sendIndication(data, to: peer)
            stage.run(3)
            if length == 0 {
                // The neighbour was asked for.
                user.sendIndication(data, to: peer)
                stage.run(3)
            }
            let there = try #require(stage.take(peer).first)
            #expect(there.payload == data && there.source == relayed && there.isChecksumValid)
            stage.send(data, from: peer, to: relayed)
            stage.run(2)
            let back = try #require(user.takeArrivals().first)
            let indication = TURNAnswer(bytes: back.payload)
            #expect(indication.method == STUNMethod.data && back.isChecksumValid)
            #expect(indication.endpoints(STUNAttributeType.xorPeerAddress) == [peer])
            #expect(indication.value(STUNAttributeType.data) == data)
        }
    }

    @Test func twoClientsMeetInsideTheWorker() throws {
        let stage = try TURNStage()
        let one = TURNUser(stage, "10.0.0.100:4000")
        let two = TURNUser(stage, "10.0.0.101:4000", name: "user2")
        one.allocate()
        two.allocate()
        #expect(one.bind(0x4000, two.relayed)?.isSuccess == true)
        #expect(two.permit(one.relayed)?.isSuccess == true)
        one.send(TURNUser.channelData(0x4000, [1, 2, 3]))
        stage.run(2)
        let there = try #require(two.takeArrivals().first)
        #expect(TURNAnswer(bytes: there.payload).value(STUNAttributeType.data) == [1, 2, 3] && there.isChecksumValid)
        two.sendIndication([4, 5], to: one.relayed)
        stage.run(2)
        let back = try #require(one.takeArrivals().first)
        #expect(back.payload == TURNUser.channelData(0x4000, [4, 5]) && back.isChecksumValid)
        #expect(stage.counters[.relayShortCircuit] == 2)
    }
}
