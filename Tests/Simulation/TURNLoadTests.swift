import Mailbox
import Testing
import Wire

@testable import Dataplane

/// Limits, floods, and that nothing is lost over many cycles.
@Suite struct TURNLoadTests {
    static let peer = Endpoint("10.0.0.200:9000")!

    /// A flood of requests without credentials, from one address and from many, beside relayed media.
    @Test func aFloodCostsRelayedMediaNothing() throws {
        let limits = RelayLimits(challengeBurst: 2_000)
        let stage = try TURNStage(configuration: TURNStage.configuration(limits: limits))
        let user = TURNUser(stage, "10.0.0.100:4000")
        user.allocate()
        user.bind(0x4000, Self.peer)
        user.send(TURNUser.channelData(0x4000, [0]))
        stage.run(4)
        stage.send([0], from: Self.peer, to: user.relayed)
        stage.run(4)
        _ = (stage.take(Self.peer), user.takeArrivals())
        let attack = user.message(STUNMethod.allocate, isBare: true) { $0.addTransport() }
        let data = [UInt8](repeating: 5, count: 1_000)
        var random = RandomSource(seed: 9)
        for round in 0..<60 {
            for _ in 0..<500 {
                let number = round % 2 == 0 ? 50 : Int.random(in: 110..<190, using: &random)
                stage.send(
                    attack, from: Endpoint("10.0.0.\(number):\(Int.random(in: 1..<65_536, using: &random))")!,
                    to: TURNStage.media)
            }
            for _ in 0..<5 {
                user.send(TURNUser.channelData(0x4000, data))
                stage.send(data, from: Self.peer, to: user.relayed)
            }
            stage.run(1)
        }
        stage.run(5)
        #expect(stage.take(Self.peer).count == 300 && user.takeArrivals().count == 300)
        #expect(stage.counters[.relayUnauthenticated] > 15_000)
    }

    /// To an address that proved nothing go no more bytes than came from it, beside a burst and a trickle.
    @Test func nothingIsAmplified() throws {
        let limits = RelayLimits(challengeBurst: 1_000, challengeRate: 100)
        let stage = try TURNStage(configuration: TURNStage.configuration(limits: limits))
        let victim = TURNUser(stage, "10.0.0.60:4000")
        var sent = 0
        var received = 0
        for method in [STUNMethod.allocate, STUNMethod.binding, STUNMethod.refresh, STUNMethod.channelBind] {
            for _ in 0..<500 {
                let bytes = victim.message(method, isBare: true)
                sent += bytes.count
                victim.send(bytes)
                stage.run(1)
                received += stage.take(victim.endpoint).reduce(0) { $0 + $1.payload.count }
            }
        }
        // 2,000 ms.
        #expect(received <= sent + 1_000 + 250 && received > 1_000)
    }

    /// Requests with wrong credentials are held back before any HMAC.
    @Test func guessingIsLimited() throws {
        let limits = RelayLimits(requestRate: 10, requestBurst: 20)
        let stage = try TURNStage(configuration: TURNStage.configuration(limits: limits))
        let user = TURNUser(stage, "10.0.0.100:4000", name: "guesser")
        user.learnNonce()
        for _ in 0..<500 { user.send(user.message(STUNMethod.allocate) { $0.addTransport() }) }
        stage.run(10)
        #expect(stage.counters[.turnRequests] <= 22 && stage.counters[.relayRate] >= 478)
        #expect(TURNUser(stage, "10.0.0.101:4000").allocate()?.isSuccess == true)
    }

    /// A user's allocations share what the user may relay, whatever other users do.
    @Test func bandwidthIsLimited() throws {
        let stage = try TURNStage()
        stage.bandwidth = 100_000
        // The stage tells users apart by the length of their names.
        let users = [("10.0.0.100:4000", "user"), ("10.0.0.100:4001", "user"), ("10.0.0.101:4000", "user two")].map {
            TURNUser(stage, $0.0, name: $0.1)
        }
        for (number, user) in users.enumerated() {
            user.allocate()
            user.bind(0x4000, Endpoint("10.0.0.\(200 + number):9000")!)
            user.send(TURNUser.channelData(0x4000, [0]))
        }
        stage.run(4)
        #expect(stage.world.worker().pointee.relay.users.count == 2)
        func passed() -> [Int] { (0..<3).map { stage.take(Endpoint("10.0.0.\(200 + $0):9000")!).count } }
        _ = passed()
        // 1 MB in a second: of the first user by both allocations, half each.
        for round in 0..<1_000 {
            let data = TURNUser.channelData(0x4000, [UInt8](repeating: 1, count: 1_000))
            users[round % 2].send(data)
            if round % 20 == 0 { users[2].send(data) }
            stage.run(1)
        }
        let counts = passed()
        #expect((100...115).contains(counts[0] + counts[1]), "\(counts) KB of 100 and a tenth passed")
        #expect(counts[0] > 0 && counts[1] > 0 && counts[2] == 50)
        #expect(stage.counters[.relayBandwidth] == 1_000 - UInt64(counts[0] + counts[1]))
        #expect(stage.world.worker().pointee.relay.fault() == nil)
        users[0].refresh(0)
        #expect(stage.world.worker().pointee.relay.users.count == 2)
        users[1].refresh(0)
        #expect(stage.world.worker().pointee.relay.users.count == 1)
        #expect(stage.world.worker().pointee.relay.fault() == nil)
    }

    /// To the last port, over and over: what expires, what is deleted, what control closes, on a small range.
    @Test func everyPortComesBack() throws {
        let configuration = TURNStage.configuration(ports: 50_000...50_015)
        let stage = try TURNStage(workers: 2, configuration: configuration, allocations: 16)
        var random = RandomSource(seed: 3)
        for cycle in 0..<30 {
            var users: [TURNUser] = []
            var made = 0
            for number in 0..<20 {
                let user = TURNUser(stage, "10.0.0.\(100 + number):\(4_000 + cycle)")
                let answer = user.allocate {
                    if number % 3 == 0 { $0.addFamily(2, STUNAttributeType.additionalAddressFamily) }
                    if number % 5 == 1 { $0.addEvenPort(reserve: true) }
                }
                guard answer?.isSuccess == true else { continue }
                made += 1
                users.append(user)
                if user.relayed != nil {
                    user.bind(0x4000, Self.peer)
                    user.permit(Endpoint("10.0.0.\(201 + number):1")!)
                }
            }
            #expect(made > 8)
            for worker in 0..<2 { #expect(stage.world.worker(worker).pointee.relay.fault() == nil) }
            for user in users where Bool.random(using: &random) { user.refresh(0) }
            if let event = stage.events.last, case .allocationOpened(let handle, _, _) = event {
                #expect(stage.world.mailboxes[handle.worker].turn.commands.push(.close(handle)))
            }
            stage.world.leap(seconds: 3_700)
            stage.run(10)
            stage.expectNothingHeld()
        }
        let opened = stage.events.filter { if case .allocationOpened = $0 { true } else { false } }.count
        let closed = stage.events.filter { if case .allocationClosed = $0 { true } else { false } }.count
        #expect(opened == closed && opened == Int(stage.counters[.allocationsOpened]))
    }

    /// 30,000 allocations on one address; each one's channel works, and all end.
    @Test func thirtyThousandAllocationsOnOneAddress() throws {
        let limits = RelayLimits(requestRate: 1_000_000, requestBurst: 1_000_000)
        let configuration = TURNStage.configuration(ports: 32_768...65_535, limits: limits)
        let stage = try TURNStage(configuration: configuration, allocations: 30_000)
        let user = TURNUser(stage, "10.0.0.100:1024")
        user.learnNonce()
        var relayed: Set<Endpoint> = []
        for chunk in 0..<300 {
            for number in 0..<100 {
                user.endpoint.port = UInt16(1_024 + chunk * 100 + number)
                user.send(user.message(STUNMethod.allocate) { $0.addTransport() })
            }
            stage.run(4)
            for number in 0..<100 {
                user.endpoint.port = UInt16(1_024 + chunk * 100 + number)
                for answer in user.collect() {
                    relayed.formUnion(answer.endpoints(STUNAttributeType.xorRelayedAddress))
                }
            }
        }
        #expect(relayed.count == 30_000)
        #expect(stage.world.worker().pointee.relay.allocations.count == 30_000)
        user.endpoint.port = 40_000
        #expect(user.allocate()?.errorCode == 508)
        user.endpoint.port = 1_024 + 29_999
        #expect(user.bind(0x4000, Self.peer)?.isSuccess == true)
        #expect(stage.world.worker().pointee.relay.fault() == nil)
        stage.world.leap(seconds: 4_000)
        // A bounded number each millisecond.
        stage.run(600)
        stage.expectNothingHeld()
    }
}
