import Mailbox
import Testing
import Wire

@testable import Dataplane

/// What RFC 8656 (and, where named, RFC 8489 and RFC 8016) says that a TURN server MUST do, one by one, as bytes through
/// a worker on a simulated port.
struct TURNRequirement: Sendable, CustomTestStringConvertible {
    /// Of RFC 8656 unless it names another.
    let section: String
    let text: String
    let configuration: @Sendable () -> RelayConfiguration
    let check: @Sendable (TURNStage) throws -> Void

    init(
        _ section: String, _ text: String,
        configuration: @autoclosure @escaping @Sendable () -> RelayConfiguration = TURNStage.configuration(),
        _ check: @escaping @Sendable (TURNStage) throws -> Void
    ) {
        self.section = section
        self.text = text
        self.configuration = configuration
        self.check = check
    }

    var testDescription: String { "\(section): \(text)" }

    static let peer = Endpoint("10.0.0.200:9000")!
    static let other = Endpoint("10.0.0.201:9000")!
    static let peerV6 = Endpoint("[fd00::200]:9000")!

    static func user(_ stage: TURNStage, allocates: Bool = true) -> TURNUser {
        let user = TURNUser(stage, "10.0.0.100:4000")
        if allocates { user.allocate() }
        return user
    }

    static let all = authentication + allocation + refreshing + permissions + channels + mobility
}

@Suite struct TURNRequirementTests {
    @Test(arguments: TURNRequirement.all)
    func theServerDoesWhatItMust(_ requirement: TURNRequirement) throws {
        let stage = try TURNStage(configuration: requirement.configuration())
        try requirement.check(stage)
        stage.run(2)
        #expect(stage.world.worker().pointee.relay.fault() == nil)
        // Longer than any lifetime: everything is free again.
        stage.world.leap(seconds: 4_000)
        stage.run(20)
        stage.expectNothingHeld()
    }
}

extension TURNRequirement {
    static let authentication: [TURNRequirement] = [
        .init("RFC 8489 9.2.4", "a request without integrity is challenged with REALM and NONCE, not signed") { stage in
            let answer = try #require(
                user(stage, allocates: false).call(STUNMethod.allocate, isBare: true) { $0.addTransport() })
            #expect(answer.errorCode == 401 && !answer.isSigned)
            #expect(answer.value(STUNAttributeType.realm) == Array(TURNStage.realm.utf8))
            #expect(answer.value(STUNAttributeType.nonce)?.count ?? 0 > 13)
        },
        .init("RFC 8489 9.2", "the nonce begins with the cookie and says that password algorithms are served") {
            stage in
            let answer = try #require(user(stage, allocates: false).call(STUNMethod.refresh, isBare: true))
            #expect(answer.value(STUNAttributeType.nonce)?.prefix(13).elementsEqual("obMatJos2gAAA".utf8) == true)
            #expect(answer.value(STUNAttributeType.passwordAlgorithms) == [0, 2, 0, 0, 0, 1, 0, 0])
        },
        .init("RFC 8489 9.2.4", "integrity without USERNAME, REALM or NONCE is a bad request") { stage in
            let user = user(stage, allocates: false)
            let bytes = user.message(STUNMethod.allocate, isBare: true) {
                $0.addTransport()
                user.key.withUnsafeBytes { TURNIntegrityKey(key: $0, usesSHA256: false) }.sign(&$0)
            }
            #expect(user.exchange(bytes)?.errorCode == 400 && stage.requests.isEmpty)
        },
        .init(
            "5", "an old nonce is stale, and a fresh one comes with the answer",
            configuration: TURNStage.configuration(limits: RelayLimits(nonceLifetime: 60))
        ) { stage in
            let user = user(stage)
            stage.world.leap(seconds: 58)
            #expect(user.refresh(600)?.isSuccess == true)
            stage.world.leap(seconds: 3)
            let answer = try #require(user.refresh(600))
            #expect(answer.errorCode == 438 && answer.has(STUNAttributeType.realm) && !answer.isSigned)
            user.nonce = try #require(answer.value(STUNAttributeType.nonce))
            #expect(user.refresh(600)?.isSuccess == true)
        },
        .init("5", "a nonce of another address is stale, and one that was never given too") { stage in
            let first = user(stage, allocates: false)
            first.learnNonce()
            let second = TURNUser(stage, "10.0.0.101:4000")
            second.nonce = first.nonce
            #expect(second.allocate()?.errorCode == 438)
            second.nonce[20] ^= 1
            #expect(second.allocate()?.errorCode == 438 && stage.requests.isEmpty)
        },
        .init("RFC 8489 9.2.4", "wrong integrity is unauthenticated and changes nothing") { stage in
            let user = user(stage)
            user.key[0] ^= 1
            let answer = try #require(user.refresh(0))
            #expect(answer.errorCode == 401 && answer.has(STUNAttributeType.nonce) && !answer.isSigned)
            #expect(user.permit(peer)?.errorCode == 401 && user.bind(0x4000, peer)?.errorCode == 401)
            #expect(stage.world.worker().pointee.relay.allocations.count == 1)
            #expect(stage.world.worker().pointee.relay.permitted.count == 0)
        },
        .init("RFC 8489 9.2.4", "a name that control does not know is unauthenticated, with a nonce") { stage in
            let answer = try #require(TURNUser(stage, "10.0.0.100:4000", name: "nobody").allocate())
            #expect(answer.errorCode == 401 && answer.has(STUNAttributeType.nonce))
        },
        .init("5", "all requests of an allocation have its user name, else wrong credentials") { stage in
            #expect(user(stage).call(STUNMethod.refresh, username: "user2")?.errorCode == 441)
        },
        .init("RFC 8489 9.2.4", "success is signed with the key; SHA-1 and SHA-256 as they came") { stage in
            for (place, usesSHA256) in [(100, false), (101, true)] {
                let user = TURNUser(stage, "10.0.0.\(place):4000")
                user.usesSHA256 = usesSHA256
                let answer = try #require(user.allocate())
                #expect(answer.isSuccess && answer.isSigned(by: user.key, sha256: usesSHA256))
                #expect(user.refresh(700)?.isSigned(by: user.key, sha256: usesSHA256) == true)
                #expect(user.permit()?.isSigned(by: user.key, sha256: usesSHA256) == true)
            }
        },
        .init("RFC 8489 9.2.4", "a bid down to SHA-1 is refused where SHA-256 was agreed") { stage in
            let user = user(stage, allocates: false)
            user.usesSHA256 = true
            user.allocate()
            user.usesSHA256 = false
            #expect(user.refresh(0)?.errorCode == 401)
        },
        .init("RFC 8489 6.3.1", "unknown required attributes are named in a 420") { stage in
            let user = user(stage)
            let answer = try #require(user.call(STUNMethod.refresh) { $0.add(0x7ffe, UInt32(0)) })
            #expect(answer.errorCode == 420 && answer.value(STUNAttributeType.unknownAttributes) == [0x7f, 0xfe])
            let second = TURNUser(stage, "10.0.0.101:4000")
            let refused = try #require(second.allocate { $0.add(0x7ffd, UInt32(0)) })
            #expect(refused.errorCode == 420 && refused.value(STUNAttributeType.unknownAttributes) == [0x7f, 0xfd])
        },
        .init("RFC 8489 7", "a wrong FINGERPRINT is answered by silence") { stage in
            let user = user(stage, allocates: false)
            var bytes = user.message(STUNMethod.allocate, isBare: true) { $0.addTransport() }
            bytes[bytes.count - 1] ^= 1
            #expect(user.exchange(bytes) == nil && stage.counters[.stunMalformed] == 1)
        },
        .init("RFC 8489 12", "a plain Binding request is told its address") { stage in
            let user = user(stage, allocates: false)
            let answer = try #require(user.call(STUNMethod.binding, isBare: true))
            #expect(answer.isSuccess && answer.endpoints(STUNAttributeType.xorMappedAddress) == [user.endpoint])
            #expect(stage.counters[.stunAnswers] == 1)
        },
        .init("RFC 8489 6.3", "unknown methods, responses and foreign indications are answered by silence") { stage in
            let user = user(stage, allocates: false)
            for (method, kind) in [
                (UInt16(0x00a), STUNClass.request), (STUNMethod.allocate, .success), (STUNMethod.data, .indication),
                (STUNMethod.refresh, .error),
            ] {
                #expect(user.exchange(user.message(method, class: kind, isBare: true)) == nil)
            }
            #expect(stage.counters[.stunUnsupported] == 4)
        },
        .init(
            "3.1", "alternate ports serve the same", configuration: TURNStage.configuration(alternates: [80, 443])
        ) {
            stage in
            let user = TURNUser(stage, "10.0.0.100:4000", server: Endpoint(address: World.address, port: 443))
            #expect(user.allocate()?.isSuccess == true && user.bind(0x4000, peer)?.isSuccess == true)
            user.send(TURNUser.channelData(0x4000, [1]))
            stage.run(3)
            #expect(stage.take(peer).map(\.payload) == [[1]])
            // The same client on another port of ours is another 5-tuple.
            user.server = TURNStage.media
            #expect(user.refresh(600)?.errorCode == 437)
        },
    ]

    static let allocation: [TURNRequirement] = [
        .init("7.2", "REQUESTED-TRANSPORT is required and well-formed") { stage in
            let user = user(stage, allocates: false)
            #expect(user.call(STUNMethod.allocate)?.errorCode == 400)
            #expect(
                user.call(STUNMethod.allocate) { $0.addFlag(STUNAttributeType.requestedTransport) }?.errorCode == 400)
        },
        .init("7.2", "another transport than UDP is not supported") { stage in
            let answer = user(stage, allocates: false).call(STUNMethod.allocate) {
                $0.add(STUNAttributeType.requestedTransport, UInt32(6) << 24)
            }
            #expect(answer?.errorCode == 442 && answer?.isSigned == true)
        },
        .init("7.2", "a 5-tuple that has an allocation is a mismatch") { stage in
            let answer = user(stage).allocate()
            #expect(answer?.errorCode == 437 && answer?.isSigned == true)
        },
        .init("7.2", "a repeated request is answered by the same allocation, and asked of control once") { stage in
            let user = user(stage, allocates: false)
            user.learnNonce()
            let bytes = user.message(STUNMethod.allocate) { $0.addTransport() }
            stage.answers = false
            for _ in 0..<5 { user.send(bytes) }
            stage.run(3)
            #expect(stage.requests.count == 1)
            stage.answers = true
            stage.run(3)
            let first = try #require(user.collect().last)
            let second = try #require(user.exchange(bytes))
            #expect(first.isSuccess && second.isSuccess && stage.requests.count == 1)
            #expect(
                first.endpoints(STUNAttributeType.xorRelayedAddress)
                    == second.endpoints(STUNAttributeType.xorRelayedAddress))
        },
        .init("7.2", "RESERVATION-TOKEN goes with neither EVEN-PORT nor a family") { stage in
            let user = user(stage, allocates: false)
            #expect(
                user.allocate {
                    $0.add(STUNAttributeType.reservationToken, UInt64(1))
                    $0.addEvenPort(reserve: false)
                }?.errorCode == 400)
            #expect(
                user.allocate {
                    $0.add(STUNAttributeType.reservationToken, UInt64(1))
                    $0.addFamily(1)
                }?.errorCode == 400)
        },
        .init("7.2", "a token that is not good is insufficient capacity") { stage in
            #expect(
                user(stage, allocates: false).allocate { $0.add(STUNAttributeType.reservationToken, UInt64(1)) }?
                    .errorCode == 508)
        },
        .init("7.2", "ADDITIONAL-ADDRESS-FAMILY: only IPv6, not with REQUESTED-ADDRESS-FAMILY or a reserved port") {
            stage in
            let user = user(stage, allocates: false)
            let additional = STUNAttributeType.additionalAddressFamily
            #expect(user.allocate { $0.addFamily(1, additional) }?.errorCode == 400)
            #expect(
                user.allocate {
                    $0.addFamily(2, additional)
                    $0.addFamily(1)
                }?.errorCode == 400)
            #expect(
                user.allocate {
                    $0.addFamily(2, additional)
                    $0.addEvenPort(reserve: true)
                }?.errorCode == 400)
        },
        .init("7.2", "the family is IPv4 unless another is asked for") { stage in
            let one = TURNUser(stage, "[fd00::100]:4000")
            let two = TURNUser(stage, "10.0.0.100:4000")
            one.allocate()
            two.allocate { $0.addFamily(2) }
            #expect(one.relayed?.address == World.address && one.relayedV6 == nil)
            #expect(two.relayedV6?.address == World.addressV6 && two.relayed == nil)
        },
        .init(
            "7.2", "a family that is unknown or not served is refused",
            configuration: TURNStage.configuration(v6: nil)
        ) {
            stage in
            let user = user(stage, allocates: false)
            #expect(user.allocate { $0.addFamily(3) }?.errorCode == 440)
            #expect(user.allocate { $0.addFamily(2) }?.errorCode == 440)
        },
        .init(
            "7.2", "of two families the one that cannot be had is named",
            configuration: TURNStage.configuration(v6: nil)
        ) {
            stage in
            let user = user(stage, allocates: false)
            let answer = try #require(user.allocate { $0.addFamily(2, STUNAttributeType.additionalAddressFamily) })
            #expect(answer.isSuccess && user.relayed != nil && user.relayedV6 == nil)
            #expect(answer.value(STUNAttributeType.addressErrorCode)?.prefix(4) == [2, 0, 4, 40])
        },
        .init("7.2", "EVEN-PORT gives an even port, and reserves the next for the token's bearer") { stage in
            try EvenPortCheck.pairs(stage)
        },
        .init("7.2", "a reserved port is kept for 30 seconds, not longer") { stage in
            let user = user(stage, allocates: false)
            user.allocate { $0.addEvenPort(reserve: true) }
            let ports = stage.world.worker().pointee.relay.portsV4.capacity
            stage.world.leap(seconds: 29)
            stage.run(2)
            #expect(stage.world.worker().pointee.relay.portsV4.freeCount == ports - 2)
            stage.world.leap(seconds: 2)
            stage.run(2)
            #expect(stage.world.worker().pointee.relay.portsV4.freeCount == ports - 1)
        },
        .init("7.2", "the lifetime is at least the default of 600 s and at most the server's maximum") { stage in
            for (number, asked, given) in [(0, nil, 600), (1, 100, 600), (2, 1_000, 1_000), (3, 9_999, 3_600)]
                as [(Int, UInt32?, UInt32)]
            {
                let answer = TURNUser(stage, "10.0.0.\(100 + number):4000").allocate {
                    if let asked { $0.add(STUNAttributeType.lifetime, asked) }
                }
                #expect(answer?.number(STUNAttributeType.lifetime) == given)
            }
        },
        .init("7.2", "success names relayed and mapped address") { stage in
            let user = user(stage, allocates: false)
            let answer = try #require(user.allocate())
            #expect(answer.endpoints(STUNAttributeType.xorMappedAddress) == [user.endpoint])
            #expect((50_000...50_063).contains(user.relayed.port) && user.relayed.address == World.address)
        },
        .init(
            "7.2", "without a free port: insufficient capacity",
            configuration: TURNStage.configuration(ports: 50_000...50_001)
        ) {
            stage in
            for number in 100...101 { #expect(TURNUser(stage, "10.0.0.\(number):4000").allocate()?.isSuccess == true) }
            #expect(TURNUser(stage, "10.0.0.102:4000").allocate()?.errorCode == 508)
        },
        .init("7.2", "a user's quota is control's to say") { stage in
            let answer = TURNUser(stage, "10.0.0.100:4000", name: "user quota").allocate()
            #expect(answer?.errorCode == 486 && answer?.isSigned == true && stage.counters[.turnRefused486] == 1)
        },
    ]
}

private enum EvenPortCheck {
    static func pairs(_ stage: TURNStage) throws {
        let one = TURNUser(stage, "10.0.0.100:4000")
        let answer = try #require(one.allocate { $0.addEvenPort(reserve: true) })
        let token = try #require(answer.value(STUNAttributeType.reservationToken))
        #expect(one.relayed.port % 2 == 0 && token.count == 8)
        let two = TURNUser(stage, "10.0.0.101:4000")
        two.allocate { $0.add(STUNAttributeType.reservationToken, bytes: token) }
        #expect(two.relayed?.port == one.relayed.port + 1)
        let three = TURNUser(stage, "10.0.0.102:4000")
        let again = three.allocate { $0.add(STUNAttributeType.reservationToken, bytes: token) }
        #expect(again?.errorCode == 508)
        for number in 103...110 {
            let user = TURNUser(stage, "10.0.0.\(number):4000")
            user.allocate { $0.addEvenPort(reserve: false) }
            #expect(user.relayed.port % 2 == 0)
        }
    }
}
