import Mailbox
import Testing
import Wire

@testable import Dataplane

/// IPv4 addresses in IPv6's clothes as peers (RFC 8656 section 21.2): the packet would go to the IPv4 address, past what
/// is asked of IPv4 peers. They are refused whatever IPv4 peers are allowed.
@Suite struct TURNPeerTests {
    enum Disguise: CaseIterable {
        /// ::ffff:a.b.c.d and ::a.b.c.d (RFC 4291 section 2.5.5), and NAT64's 64:ff9b::a.b.c.d (RFC 6052).
        case mapped, compatible, translated

        /// As they are in an attribute.
        func bytes(_ address: IPAddress) -> (high: UInt64, low: UInt64) {
            switch self {
            case .mapped: (0, 0xffff << 32 | UInt64(address.v4))
            case .compatible: (0, UInt64(address.v4))
            case .translated: (0x0064_ff9b_0000_0000, UInt64(address.v4))
            }
        }
    }

    /// A host of the lab, this PoP's own media address, and the own host of whoever translates.
    private static let inside = ["10.0.0.200", "10.0.0.2", "127.0.0.1"].map { IPAddress($0)! }
    private static let peer = Endpoint("10.0.0.200:9000")!

    /// A client whose allocation has both families unless `isV4Only`, at a relay that allows every IPv4 peer.
    private func user(isV4Only: Bool = false) throws -> TURNUser {
        var configuration = TURNStage.configuration()
        configuration.allowedPeers = [.init(address: IPAddress("0.0.0.0")!, length: 0)]
        let user = TURNUser(try TURNStage(configuration: configuration), "10.0.0.100:4000")
        let answer = user.allocate { if !isV4Only { $0.addFamily(2, STUNAttributeType.additionalAddressFamily) } }
        #expect(answer?.isSuccess == true)
        return user
    }

    private func expectNothingPermitted(_ user: TURNUser, permissions: Int = 0) {
        let worker = user.stage.world.worker()
        #expect(worker.pointee.relay.permitted.count == permissions)
        #expect(worker.pointee.relay.channels.freeCount == worker.pointee.relay.channels.capacity)
        #expect(worker.pointee.relay.fault() == nil)
    }

    @Test(arguments: Disguise.allCases) func noPermissionIsCreatedForADisguisedAddress(_ disguise: Disguise) throws {
        let user = try user()
        for address in Self.inside {
            let alone = user.call(STUNMethod.createPermission) { $0.add(disguise, address, of: user) }
            #expect(alone?.errorCode == 403 && alone?.isSigned == true, "\(disguise) \(address)")
            // Nor for the honest one beside it.
            let beside = user.call(STUNMethod.createPermission) {
                $0.add(STUNAttributeType.xorPeerAddress, xored: Self.peer)
                $0.add(disguise, address, of: user)
            }
            #expect(beside?.errorCode == 403, "\(disguise) \(address)")
        }
        expectNothingPermitted(user)
        #expect(user.permit(Self.peer)?.isSuccess == true)
    }

    @Test(arguments: Disguise.allCases) func noChannelIsBoundToADisguisedAddress(_ disguise: Disguise) throws {
        let user = try user()
        for address in Self.inside {
            let answer = user.call(STUNMethod.channelBind) {
                $0.add(STUNAttributeType.channelNumber, UInt32(0x4000_0000))
                $0.add(disguise, address, of: user)
            }
            #expect(answer?.errorCode == 403 && answer?.isSigned == true, "\(disguise) \(address)")
        }
        expectNothingPermitted(user)
        #expect(user.bind(0x4000, Self.peer)?.isSuccess == true)
    }

    /// An indication has no answer: it is dropped and counted, though the address inside has a permission.
    @Test(arguments: Disguise.allCases) func nothingIsSentToADisguisedAddress(_ disguise: Disguise) throws {
        let user = try user()
        #expect(user.permit(Self.peer, Endpoint(address: World.address, port: 1))?.isSuccess == true)
        // The first is lost while the way to the peer is asked for.
        for _ in 0..<2 {
            user.sendIndication([7], to: Self.peer)
            user.stage.run(4)
        }
        #expect(user.stage.take(Self.peer).map(\.payload) == [[7]])
        for address in Self.inside {
            user.send(
                user.message(STUNMethod.send, class: .indication, isBare: true) {
                    $0.add(disguise, address, port: Self.peer.port, of: user)
                    $0.add(STUNAttributeType.data, text: "x")
                })
        }
        user.stage.run(4)
        #expect(user.stage.take(Self.peer).isEmpty && user.stage.counters[.relayedPacketsToPeer] == 1)
        #expect(user.stage.counters[disguise == .mapped ? .relayMalformed : .relayNoPermission] == 3)
        expectNothingPermitted(user, permissions: 2)
    }

    /// RFC 8656 sections 10.2 and 12.2: the attribute's family is IPv6.
    @Test(arguments: Disguise.allCases) func withoutIPv6TheFamilyIsAMismatch(_ disguise: Disguise) throws {
        let user = try user(isV4Only: true)
        let permission = user.call(STUNMethod.createPermission) { $0.add(disguise, Self.peer.address, of: user) }
        let channel = user.call(STUNMethod.channelBind) {
            $0.add(STUNAttributeType.channelNumber, UInt32(0x4000_0000))
            $0.add(disguise, Self.peer.address, of: user)
        }
        #expect(permission?.errorCode == 443 && channel?.errorCode == 443)
        expectNothingPermitted(user)
    }
}

extension STUNWriter {
    /// XOR-PEER-ADDRESS of family IPv6 in a message that `user` is writing (RFC 8489 section 14.2).
    fileprivate mutating func add(
        _ disguise: TURNPeerTests.Disguise, _ address: IPAddress, port: UInt16 = 9_000, of user: TURNUser
    ) {
        let (high, low) = disguise.bytes(address)
        let transaction = user.lastTransaction
        let room = reserve(STUNAttributeType.xorPeerAddress, count: 20)
        room?.setBE16(2, at: 0)
        room?.setBE16(port ^ UInt16(truncatingIfNeeded: STUNMessage.magicCookie >> 16), at: 2)
        room?.setBE64(high ^ (UInt64(STUNMessage.magicCookie) << 32 | UInt64(transaction.high)), at: 4)
        room?.setBE64(low ^ transaction.low, at: 12)
    }
}
