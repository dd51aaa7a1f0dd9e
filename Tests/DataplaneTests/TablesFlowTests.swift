import Testing
import Wire

@testable import Dataplane

@Suite("A FlowTable")
struct TablesFlowTests {
    private static func key(_ number: UInt64) -> FlowKey {
        let address =
            number % 3 == 0
            ? IPAddress(high: 0x2001_0db8 << 32, low: number)
            : IPAddress(v4: UInt32(truncatingIfNeeded: number))
        return FlowKey(
            remote: Endpoint(address: address, port: UInt16(truncatingIfNeeded: number &* 7)),
            localPort: 3_478)
    }

    @Test("hashes as SipHash-1-3 does")
    func vector() {
        // Key 00..0f and message 00..17; the reference program of the authors with one and three rounds.
        let hasher = SipHash(seed: (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908))
        let hash = hasher.hash(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908, 0x1716_1514_1312_1110)
        #expect(hash == 0xf464_aeb2_6734_9c8c)
    }

    @Test("holds what a Dictionary holds", arguments: [1, 2, 3, 4, 5] as [UInt64])
    func agreesWithDictionary(seed: UInt64) {
        var random = RandomSource(seed: seed)
        let capacity = 64
        var table = FlowTable(capacity: capacity, seed: (random.next(), random.next()))
        var model: [FlowKey: UInt64] = [:]
        for _ in 0..<50_000 {
            // Few keys, so that all of insert, replace, refuse, hit and miss happen.
            let key = Self.key(random.next() % 160)
            let known = model[key]
            switch random.next() % 4 {
            case 0, 1:
                let value = random.next()
                let accepted = table.insert(key, value)
                #expect(accepted == (known != nil || model.count < capacity))
                if accepted { model[key] = value }
            case 2:
                #expect(result(of: table.remove(key)) == known)
                model[key] = nil
            default:
                #expect(result(of: table.find(key)) == known)
            }
            #expect(result(of: table.count) == model.count)
        }
        for number in 0..<160 as Range<UInt64> {
            #expect(result(of: table.find(Self.key(number))) == model[Self.key(number)])
        }
    }

    @Test("refuses newcomers when full and keeps those inside")
    func full() {
        var table = FlowTable(capacity: 1_000, seed: (1, 2))
        for number in 0..<1_000 as Range<UInt64> {
            let accepted = table.insert(Self.key(number), number)
            #expect(accepted)
        }
        #expect(result(of: table.isFull))
        let refused = table.insert(Self.key(5_000), 1)
        #expect(!refused)
        let replaced = table.insert(Self.key(7), 70)
        #expect(replaced)
        for number in 0..<1_000 as Range<UInt64> {
            #expect(result(of: table.find(Self.key(number))) == (number == 7 ? 70 : number))
        }
        #expect(result(of: table.remove(Self.key(7))) == 70)
        let accepted = table.insert(Self.key(5_000), 1)
        #expect(accepted)
    }

    @Test("tells keys apart by each of their parts")
    func parts() {
        var table = FlowTable(capacity: 8, seed: (3, 4))
        let address = IPAddress(v4: 0x0a00_0001)
        let base = FlowKey(remote: Endpoint(address: address, port: 5_000), localPort: 3_478)
        let inserted = table.insert(base, 1)
        #expect(inserted)
        #expect(
            result(
                of: table.find(FlowKey(remote: Endpoint(address: address, port: 5_001), localPort: 3_478)))
                == nil)
        #expect(result(of: table.find(FlowKey(remote: base.remote, localPort: 3_479))) == nil)
        let mapped = IPAddress(high: 1, low: address.low)
        #expect(
            result(
                of: table.find(FlowKey(remote: Endpoint(address: mapped, port: 5_000), localPort: 3_478)))
                == nil)
    }

    @Test("spreads the same keys differently under another seed")
    func seeds() {
        let one = SipHash(seed: (1, 0))
        let other = SipHash(seed: (2, 0))
        let same = (0..<1_000 as Range<UInt64>).filter {
            one.hash($0, 0, 0) & 63 == other.hash($0, 0, 0) & 63
        }.count
        // 1000 / 64 are expected by chance.
        #expect(same < 60)
    }
}
