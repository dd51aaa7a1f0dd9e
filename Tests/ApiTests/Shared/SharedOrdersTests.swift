import Conference
import Fleet
import Meetings
import Testing

@testable import Api

struct SharedOrdersTests {
    private static let meeting = MeetingID("m_1")!
    private static let number = MeetingNumber("123456789")!

    private static func taken(_ orders: SharedOrders, _ count: Int) async -> [String] {
        await withTaskGroup(of: [String].self) { group in
            group.addTask {
                var texts: [String] = []
                await orders.hand { order in
                    texts.append(text(of: order))
                    if texts.count == count { withUnsafeCurrentTask { $0?.cancel() } }
                }
                return texts
            }
            return await group.next() ?? []
        }
    }

    private static func text(of order: SharedOrder) -> String {
        switch order {
        case .open: "open"
        case .close: "close"
        case .request(_, _, let tag): "request \(tag)"
        case .peers(let pops, _): "peers \(pops.count)"
        case .remote(let id, _, _): "remote \(id)"
        default: "other"
        }
    }

    @Test func requestsBeyondTheLimitAreRefused() async {
        let orders = SharedOrders()
        for tag in 1...UInt64(SharedOrders.mostRequests) {
            #expect(orders.append(.request(.locked(true), Self.meeting, tag: tag)))
        }
        #expect(!orders.append(.request(.locked(true), Self.meeting, tag: 0)))
        // What is no request has to be done.
        #expect(orders.append(.close(Self.meeting)))
        let taken = await Self.taken(orders, SharedOrders.mostRequests + 1)
        #expect(taken.first == "request 1" && taken.last == "close")
        #expect(orders.append(.request(.locked(true), Self.meeting, tag: 0)))
    }

    @Test func ofMediaTheLatestWaitsAndTheRestStaysInOrder() async {
        let orders = SharedOrders()
        let pops = ["a", "b"].compactMap { PoPName($0) }
        let ada = ParticipantID("p_ada")!
        for round in 0..<1_000 {
            #expect(orders.append(.peers(round < 999 ? [] : pops, Self.meeting)))
            #expect(orders.append(.remote(ada, Self.meeting, nil)))
            #expect(orders.append(.open(Self.meeting, Self.number)))
        }
        #expect(orders.append(.close(Self.meeting)))
        #expect(orders.append(.open(Self.meeting, Self.number)))
        #expect(orders.count == 5)
        #expect(await Self.taken(orders, 5) == ["peers 2", "remote p_ada", "open", "close", "open"])
        #expect(orders.append(.open(Self.meeting, Self.number)) && orders.count == 1)
    }
}
