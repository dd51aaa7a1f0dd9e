import Testing

@testable import Mailbox

struct HandleTests {
    @Test func aHandleKeepsItsParts() {
        let handle = SessionHandle(worker: 15, index: 0xffff_fffe, generation: 0xff_ffff)
        #expect(handle.worker == 15)
        #expect(handle.index == 0xffff_fffe)
        #expect(handle.generation == 0xff_ffff)
        #expect(!handle.isNone)
        #expect(SessionHandle.none.isNone)
    }

    @Test func countersAreSeenWhenPublished() {
        let counters = Counters()
        defer { counters.deallocate() }
        let local = LocalCounters()
        local.add(.turns, 3)
        local.drop(.unknownFlow)
        local.set(.sessions, 7)
        #expect(counters[.turns] == 0)
        local.publish(to: counters)
        #expect(counters[.turns] == 3)
        #expect(counters[.unknownFlow] == 1)
        #expect(counters[.sessions] == 7)
        #expect(counters[.truncated] == 0)
    }

    @Test func aDatagramIsCutToItsCapacity() {
        var datagram = Datagram(session: .none)
        let long = [UInt8](repeating: 5, count: 2_000)
        long.withUnsafeBytes { datagram.fill($0) }
        #expect(Int(datagram.count) == Datagram.capacity)
        var copy = [UInt8](repeating: 0, count: Datagram.capacity)
        copy.withUnsafeMutableBytes { datagram.copy(to: $0.baseAddress!) }
        #expect(copy.allSatisfy { $0 == 5 })
    }
}
