import Mailbox
import Testing

@testable import Dataplane

@Suite("A HandleTable")
struct TablesHandleTests {
    private enum Kind {}
    private typealias TestHandle = Handle<Kind>

    /// Counts its own end.
    private struct Owner: ~Copyable {
        let value: Int
        let ended: UnsafeMutablePointer<Int>
        deinit { ended.pointee += 1 }
    }

    @Test("finds an element by its own handle alone")
    func generations() {
        var table = HandleTable<Kind, Int>(capacity: 4)
        let first = TestHandle(worker: 1, index: 2, generation: 1)
        let second = TestHandle(worker: 1, index: 2, generation: 2)
        #expect(result(of: table.find(first)) == nil)
        #expect(result(of: table.insert(first, 10)))
        #expect(!result(of: table.insert(second, 20)))
        table.find(first)?.pointee += 1
        #expect(result(of: table.find(first)?.pointee) == 11)
        #expect(result(of: table.find(second)) == nil)
        #expect(result(of: table.find(TestHandle(worker: 2, index: 2, generation: 1))) == nil)
        #expect(!result(of: table.remove(second)))
        #expect(result(of: table.remove(first)))
        #expect(!result(of: table.remove(first)))
        #expect(result(of: table.insert(second, 20)))
        #expect(result(of: table.find(first)) == nil)
        #expect(result(of: table.count) == 1)
    }

    @Test("refuses handles outside itself and of generation 0")
    func bounds() {
        var table = HandleTable<Kind, Int>(capacity: 4)
        #expect(!result(of: table.insert(TestHandle(worker: 0, index: 4, generation: 1), 1)))
        #expect(!result(of: table.insert(TestHandle(worker: 0, index: .max, generation: 1), 1)))
        #expect(!result(of: table.insert(TestHandle.none, 1)))
        #expect(result(of: table.find(TestHandle.none)) == nil)
        #expect(result(of: table.find(TestHandle(worker: 0, index: .max, generation: 1))) == nil)
        #expect(result(of: table.count) == 0)
    }

    @Test("gives each element cache lines of its own")
    func alignment() {
        var table = HandleTable<Kind, (UInt64, UInt8)>(capacity: 3)
        for index in 0..<3 as Range<UInt32> {
            let handle = TestHandle(worker: 0, index: index, generation: 1)
            #expect(result(of: table.insert(handle, (UInt64(index), 0))))
            let place = UInt(bitPattern: table.find(handle))
            #expect(place != 0 && place % 64 == 0)
        }
        #expect(HandleTable<Kind, InlineArray<65, UInt8>>.stride == 128)
    }

    @Test("ends elements when they are removed and when it ends")
    func lifetimes() {
        let ended = UnsafeMutablePointer<Int>.allocate(capacity: 1)
        ended.initialize(to: 0)
        defer { ended.deallocate() }
        do {
            var table = HandleTable<Kind, Owner>(capacity: 4)
            for index in 0..<3 as Range<UInt32> {
                let inserted = table.insert(
                    TestHandle(worker: 0, index: index, generation: 9), Owner(value: Int(index), ended: ended)
                )
                #expect(inserted)
            }
            #expect(ended.pointee == 0)
            #expect(result(of: table.remove(TestHandle(worker: 0, index: 1, generation: 9))))
            #expect(ended.pointee == 1)
        }
        #expect(ended.pointee == 3)
    }

    @Test("is walked in bounded slices")
    func slices() {
        var table = HandleTable<Kind, Int>(capacity: 100)
        for index in [0, 7, 8, 50, 99] as [UInt32] {
            #expect(
                result(of: table.insert(TestHandle(worker: 0, index: index, generation: 1), Int(index))))
        }
        var seen: [Int] = []
        for slice in stride(from: 0, to: 120, by: 16) {
            var index = slice
            while let found = table.nextOccupied(from: index, before: slice + 16) {
                #expect(result(of: table.handle(at: found).index) == found)
                seen.append(table.element(at: found).pointee)
                index = found + 1
            }
        }
        #expect(seen == [0, 7, 8, 50, 99])
    }
}
