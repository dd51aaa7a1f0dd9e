import Mailbox
import Meetings
import Testing
import Wire

@testable import Conference

@Suite struct MediaTablesTests {
    @Test func `a place is given out again only when its worker has closed it, under the next generation`() throws {
        var table = PlaceTable<TrackKind>(worker: 3, capacity: 2)
        let taken = (table.take(), table.take())
        let first = try #require(taken.0)
        let second = try #require(taken.1)
        #expect(first.worker == 3 && Set([first.index, second.index]) == [0, 1])
        #expect(table.take() == nil)
        #expect(table.release(first) == false, "it was not told to close")
        #expect(table.beginClosing(first) == true)
        #expect(table.take() == nil && !table.isOpen(first))
        #expect(table.release(first) == true)
        #expect(table.release(first) == false, "twice")
        let again = table.take()
        let third = try #require(again)
        #expect(third.index == first.index && third.generation == first.generation + 1)
        #expect(table.beginClosing(first) == false, "stale")
        #expect(table.used == 2 && table.isOpen(third))
    }

    @Test func `a place of another worker or beyond the table is never released`() throws {
        var table = PlaceTable<SlotKind>(worker: 0, capacity: 1)
        let taken = table.take()
        let handle = try #require(taken)
        table.beginClosing(handle)
        #expect(table.release(SlotHandle(worker: 1, index: 0, generation: handle.generation)) == false)
        #expect(table.release(SlotHandle(worker: 0, index: 9, generation: 1)) == false)
        #expect(table.release(.none) == false)
        #expect(table.used == 1)
    }

    @Test func `changes that find the ring full wait whole and in order`() throws {
        let mailbox = WorkerMailbox(depth: 4, datagrams: 2)
        defer { mailbox.deallocate() }
        var link = WorkerLink(worker: 0, mailbox: mailbox, capacity: Capacity(sessions: 8, tracks: 8, slots: 8))
        let handles = (1...9).map { SessionHandle(worker: 0, index: $0, generation: 1) }
        for change in [handles[0..<3], handles[3..<5], handles[5..<6]] {
            for handle in change { link.send(.closeSession(handle)) }
            link.commit()
        }
        #expect(mailbox.commands.count == 3, "the second change has two commands and there is place for one")
        #expect(link.delivered == 1 && link.sealed == 3 && link.delays > 0)
        var read: [SessionHandle] = []
        while !link.isIdle {
            while case .closeSession(let handle)? = mailbox.commands.pop() { read.append(handle) }
            link.commit()
        }
        #expect(read == Array(handles[0..<6]) && link.delivered == 3)
    }

    @Test func `a change larger than the ring still comes through`() {
        let mailbox = WorkerMailbox(depth: 4, datagrams: 2)
        defer { mailbox.deallocate() }
        var link = WorkerLink(worker: 0, mailbox: mailbox, capacity: Capacity(sessions: 8, tracks: 8, slots: 8))
        for index in 0..<11 { link.send(.closeSlot(SlotHandle(worker: 0, index: UInt32(index), generation: 1))) }
        var read: [Int] = []
        repeat {
            link.commit()
            while case .closeSlot(let handle)? = mailbox.commands.pop() { read.append(handle.index) }
        } while !link.isIdle
        #expect(read == Array(0..<11))
    }

    @Test func `datagrams that find the ring full are dropped and counted`() {
        let mailbox = WorkerMailbox(depth: 4, datagrams: 2)
        defer { mailbox.deallocate() }
        var link = WorkerLink(worker: 0, mailbox: mailbox, capacity: Capacity(sessions: 8, tracks: 8, slots: 8))
        let datagram = Datagram(session: SessionHandle(worker: 0, index: 0, generation: 1))
        #expect(link.reply(datagram) && link.reply(datagram) && !link.reply(datagram))
        #expect(link.droppedReplies == 1)
    }

    @Test func `a replica ends with its last user, or with its track`() {
        var ledger = ReplicaLedger()
        let origin = TrackHandle(worker: 0, index: 1, generation: 1)
        let replica = TrackHandle(worker: 1, index: 5, generation: 2)
        let key = ReplicaLedger.Key(origin: origin, worker: 1)
        #expect(ledger.retain(key) == nil)
        ledger.insert(replica, for: key)
        #expect(ledger.retain(key) == replica)
        #expect(ledger.beginFeeding(key, replica: replica) == true)
        #expect(ledger.beginFeeding(key, replica: replica) == false, "once is enough")
        #expect(ledger.release(key) == nil)
        #expect(ledger.release(key) == .init(origin: origin, replica: replica, wasFed: true))
        #expect(ledger.release(key) == nil && ledger.count == 0)
        #expect(ledger.beginFeeding(key, replica: replica) == false)
        ledger.insert(replica, for: key)
        #expect(ledger.endAll(of: origin) == [.init(origin: origin, replica: replica, wasFed: false)])
        #expect(ledger.release(key) == nil && ledger.endAll(of: origin).isEmpty)
    }

    @Test func `a roster keeps the order of joining whoever comes and goes`() {
        var roster = Roster<ParticipantID>()
        for serial in [5, 1, 9, 3] { roster.insert(.named(serial), serial: UInt64(serial)) }
        roster.insert(.named(5), serial: 2)
        #expect(Array(roster.members) == [1, 3, 5, 9].map { .named($0) })
        #expect(roster.position(of: .named(5)) == 2 && roster.position(of: .named(4)) == nil)
        #expect(roster.remove(.named(3)) && !roster.remove(.named(3)))
        #expect(Array(roster.members) == [1, 5, 9].map { .named($0) } && roster.count == 3)
    }
}
