import Testing

@testable import Fleet

@Suite struct PlacementTests {
    /// PoPs on the equator, so many degrees east: 1.67 ms a degree below 9, 1.39 from 11 on.
    static func pop(_ name: String, east: Double?, load: Double = 0, of capacity: Double = 100) -> PlacementCandidate {
        let position = east.flatMap { Position(latitude: 0, longitude: $0) }
        return PlacementCandidate(site: Site(name: name, position: position), load: load, capacity: capacity)
    }

    static func arrived(_ name: String, key: UInt64 = 1, tried: [String] = []) -> PlacementClient {
        PlacementClient(origin: .arrived(at: name), key: key, tried: tried)
    }

    static func at(east: Double, key: UInt64 = 1) throws -> PlacementClient {
        PlacementClient(origin: .position(try #require(Position(latitude: 0, longitude: east))), key: key)
    }

    static func place(_ client: PlacementClient, _ pops: [PlacementCandidate], gathered: [String] = [])
        -> PlacementDecision?
    {
        Placement.decide(client, in: PlacementSnapshot(pops), gathered: gathered)
    }

    @Test func thePoPThatOneReachedIsRightWhileItIsNotHot() {
        for load in [0.0, 50, 89, 95] {
            let pops = [Self.pop("a", east: 0, load: load), Self.pop("b", east: 2), Self.pop("c", east: 5)]
            let decision = Self.place(Self.arrived("a"), pops)
            #expect(decision == PlacementDecision(pop: "a", isRedirect: false, alternates: ["b", "c"]))
        }
    }

    @Test func aHotOneSendsNewcomersToANearOneButNotFar() {
        let hot = Self.pop("a", east: 0, load: 97)
        #expect(Self.place(Self.arrived("a"), [hot, Self.pop("b", east: 4)])?.pop == "b")
        // 24 ms is what 97% costs, and a redirect 10 more.
        #expect(Self.place(Self.arrived("a"), [hot, Self.pop("b", east: 30)])?.pop == "a")
        // A near one that is as hot is no better.
        #expect(Self.place(Self.arrived("a"), [hot, Self.pop("b", east: 4, load: 97)])?.pop == "a")
    }

    @Test func whereItIsFullDrainingNotReadyOrSilentAnotherServes() throws {
        var draining = Self.pop("a", east: 0)
        draining.isDraining = true
        var unready = Self.pop("a", east: 0)
        unready.isReady = false
        var silent = Self.pop("a", east: 0)
        silent.heardAt = 84.9
        for bad in [Self.pop("a", east: 0, load: 100), Self.pop("a", east: 0, load: 99.5), draining, unready, silent] {
            var others = [Self.pop("b", east: 40), Self.pop("c", east: -120), Self.pop("d", east: 170)]
            for index in others.indices { others[index].heardAt = 100 }
            var bad = bad
            if bad.heardAt == 0 { bad.heardAt = 100 }
            let snapshot = PlacementSnapshot([bad] + others, now: 100)
            #expect(
                Placement.decide(Self.arrived("a"), in: snapshot)
                    == PlacementDecision(pop: "b", isRedirect: true, alternates: ["c", "d"]))
            #expect(Placement.decide(try Self.at(east: 1), in: snapshot)?.pop == "b")
            #expect(Placement.decide(Self.arrived("a"), in: PlacementSnapshot([bad], now: 100)) == nil)
        }
        #expect(Placement.decide(Self.arrived("a"), in: PlacementSnapshot([])) == nil)
    }

    @Test func whoeverLiesAboutItsLoadIsFullAndHarmsNobody() throws {
        let values = [Double.nan, -.nan, -1, -.infinity, .infinity, 1e300, -0.001, .greatestFiniteMagnitude]
        for value in values {
            for liar in [
                Self.pop("a", east: 0, load: value), Self.pop("a", east: 0, load: 1, of: value),
            ] {
                let pops = [liar, Self.pop("b", east: 4), Self.pop("c", east: 8)]
                #expect(Self.place(try Self.at(east: 0), pops)?.pop == "b", "load \(liar.load) of \(liar.capacity)")
                #expect(Self.place(Self.arrived("a"), pops)?.isRedirect == true)
                var snapshot = PlacementSnapshot(pops)
                snapshot.seat(-1_000_000, at: "a")
                #expect(!snapshot.hasRoom("a") && snapshot.hasRoom("b"))
                #expect(Relief.plan(for: "a", in: snapshot, wasRelieving: true).people == 0)
                // Nor does it keep others from moving people.
                let hot = PlacementSnapshot([liar, Self.pop("b", east: 4, load: 102), Self.pop("c", east: 8)])
                #expect(Relief.plan(for: "b", in: hot, wasRelieving: false).moves.map(\.pop) == ["c"])
            }
        }
        // More than its capacity may be true.
        let over = PlacementSnapshot([Self.pop("a", east: 0, load: 5000), Self.pop("b", east: 4)])
        #expect(Placement.decide(try Self.at(east: 0), in: over)?.pop == "b")
        #expect(Relief.plan(for: "a", in: over, wasRelieving: false).people == 5)
        for price in [Double.nan, -1, 1e9, .infinity] {
            let snapshot = PlacementSnapshot(
                [Self.pop("a", east: 0), Self.pop("b", east: 4)], prices: ["a": price, "b": price])
            #expect(Placement.decide(try Self.at(east: 0), in: snapshot)?.pop == "a")
        }
    }

    @Test func theSameClientHasTheSameAnswerInWhateverOrderReportsCame() throws {
        var random = Seeded(4)
        let pops = (0..<50).map { Self.pop("p\($0)", east: Double($0 % 7), load: Double($0 * 2)) }
        for key in 0..<200 {
            let client = key % 2 == 0 ? Self.arrived("p49", key: UInt64(key)) : try Self.at(east: 3, key: UInt64(key))
            let decision = Self.place(client, pops, gathered: ["p3"])
            #expect(decision != nil && Self.place(client, pops.shuffled(using: &random), gathered: ["p3"]) == decision)
        }
        // Of two reports the later counts.
        var old = Self.pop("a", east: 0, load: 100)
        var new = Self.pop("a", east: 0, load: 1)
        (old.heardAt, new.heardAt) = (1, 2)
        #expect(
            Self.place(Self.arrived("a"), [old, new])?.pop == "a"
                && Self.place(Self.arrived("a"), [new, old])?.pop == "a")
    }

    @Test func theMeetingIsWorthSomethingButLessThan30ms() throws {
        // 6.7 ms and 8.3 ms away.
        let near = [Self.pop("a", east: 4), Self.pop("b", east: -5)]
        #expect(Self.place(try Self.at(east: 0), near)?.pop == "a")
        #expect(Self.place(try Self.at(east: 0), near, gathered: ["b", "unknown"])?.pop == "b")
        let far = [Self.pop("a", east: 0), Self.pop("b", east: 20)]
        #expect(Self.place(try Self.at(east: 0), far, gathered: ["b"])?.pop == "a")
        // Nobody is redirected for it alone.
        #expect(Self.place(Self.arrived("a"), near, gathered: ["b"])?.pop == "a")
    }

    @Test func whoWasSentOnStaysAndIsNotSentOnForEver() {
        let hot = [Self.pop("a", east: 0, load: 97), Self.pop("b", east: 1)]
        #expect(Self.place(Self.arrived("a"), hot)?.pop == "b")
        #expect(Self.place(Self.arrived("a", tried: ["c"]), hot)?.pop == "a")
        let full = [Self.pop("a", east: 0, load: 100), Self.pop("b", east: 1), Self.pop("c", east: 2)]
        #expect(Self.place(Self.arrived("a", tried: ["x", "b", "y"]), full)?.pop == "c")
        #expect(Self.place(Self.arrived("a", tried: ["b", "c"]), full) == nil)
        #expect(Self.place(Self.arrived("a", tried: ["w", "x", "y", "z"]), full) == nil)
        // It may come back to where it was turned away, if by then there is room.
        #expect(Self.place(Self.arrived("a", tried: ["a", "b"]), hot)?.pop == "a")
    }

    @Test func whereAPositionIsUnknownTheRegionDecides() {
        func site(_ name: String, _ region: String) -> PlacementCandidate {
            PlacementCandidate(site: Site(name: name, region: region), load: 0, capacity: 100)
        }
        var full = site("c", "west")
        full.load = 100
        let pops = [site("a", "east"), site("b", "west"), full, site("d", ""), site("e", "")]
        #expect(Self.place(Self.arrived("c"), pops)?.pop == "b")
        let unknown = Self.place(Self.arrived("elsewhere"), pops)
        #expect(unknown != nil && unknown?.isRedirect == false)
    }

    @Test func aStormThatReadsOneSnapshotIsSpreadByHeadroom() {
        // All within spreading distance of the best, seen from the full one.
        let headroom = ["b": 1000.0, "c": 2000, "d": 4000]
        var pops = headroom.map { Self.pop($0.key, east: 20, load: 10_000 - $0.value, of: 10_000 + $0.value * 9) }
        for index in pops.indices {
            pops[index].load = pops[index].capacity - (headroom[pops[index].site.name] ?? 0) * 8
        }
        pops.append(Self.pop("a", east: 0, load: 100))
        let snapshot = PlacementSnapshot(pops)
        var taken: [String: Double] = [:]
        for key in 0..<14_000 {
            guard let decision = Placement.decide(Self.arrived("a", key: UInt64(key)), in: snapshot) else { continue }
            taken[decision.pop, default: 0] += 1
        }
        for (name, share) in headroom { #expect(abs((taken[name] ?? 0) - 2 * share) < 200, "\(name): \(taken)") }
    }

    @Test func estimatesFollowTheRoute() throws {
        let position = { (east: Double) in try #require(Position(latitude: 0, longitude: east)) }
        let zero = try position(0)
        var last = 0.0
        for tenth in 1...1800 {
            let to = try position(Double(tenth) / 10)
            let estimate = RoundTrip.estimate(zero, to)
            #expect(estimate >= last && zero.chord(to: to) <= RoundTrip.longestChord(within: estimate))
            last = estimate
        }
        #expect(abs(last - 250.2) < 0.1)
        #expect(abs(RoundTrip.estimate(zero, try position(1)) - 1.668) < 0.001)
    }
}
