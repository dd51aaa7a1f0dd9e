import Meetings
import TestSupport
import Testing

@testable import Conference

@Suite struct MediaSlotAssignerTests {
    private func people(_ numbers: Int?...) -> [SourceID?] { numbers.map { $0.map { .named($0) } } }
    private func wanted(_ numbers: Int...) -> [SourceID] { numbers.map { .named($0) } }

    @Test func `who is in a slot keeps it, and newcomers take the empty ones in order`() {
        var assigner = SlotAssigner(occupants: people(nil, 7, nil, 4))
        #expect(assigner.fill(with: wanted(1, 4, 2, 7)) == [0, 2])
        #expect(assigner.occupants == people(1, 7, 2, 4))
    }

    @Test func `who is not wanted any more makes place`() {
        var assigner = SlotAssigner(occupants: people(1, 2, 3))
        #expect(assigner.fill(with: wanted(9, 3)) == [0, 1])
        #expect(assigner.occupants == people(9, nil, 3))
        #expect(assigner.fill(with: []) == [0, 2])
    }

    @Test func `the first of the list get in, and a name counts once`() {
        var assigner = SlotAssigner(occupants: people(3, nil))
        assigner.fill(with: wanted(1, 1, 2, 3))
        #expect(assigner.occupants == people(1, 2))
        var none = SlotAssigner(occupants: [])
        #expect(none.fill(with: wanted(1, 2)).isEmpty)
    }

    @Test func `any change leaves the wanted in exactly one slot each and moves nobody`() {
        var random = SplitMix(seed: 4)
        var assigner = SlotAssigner(occupants: Array(repeating: nil, count: 9))
        for _ in 0..<2_000 {
            let wanted = (0..<Int.random(in: 0...14, using: &random)).map { _ in
                SourceID.named(Int.random(in: 0..<20, using: &random))
            }
            let before = assigner.occupants
            let changed = assigner.fill(with: wanted)
            var expected: [SourceID] = []
            for name in wanted where !expected.contains(name) { expected.append(name) }
            expected = Array(expected.prefix(9))
            let inside = assigner.occupants.compactMap(\.self)
            #expect(inside.count == expected.count && Set(inside) == Set(expected))
            for (index, occupant) in before.enumerated() {
                if let occupant, expected.contains(occupant) { #expect(assigner.occupants[index] == occupant) }
                #expect(changed.contains(index) == (assigner.occupants[index] != occupant))
            }
        }
    }

    @Test func `what has a place of its own takes it, and who was there goes elsewhere`() {
        var assigner = SlotAssigner(occupants: people(1, 2, nil))
        #expect(assigner.fill(with: wanted(1, 2), places: [.named(2): 0]) == [0, 1])
        #expect(assigner.occupants == people(2, 1, nil))
        #expect(assigner.fill(with: wanted(1, 2, 3), places: [.named(2): 0, .named(3): 1]) == [1, 2])
        #expect(assigner.occupants == people(2, 3, 1))
        // Of nobody who is wanted, and of no Slot that is there.
        #expect(assigner.fill(with: wanted(1, 2), places: [.named(7): 2, .named(1): 9]) == [1, 2])
        #expect(assigner.occupants == people(2, 1, nil))
    }

    @Test func `whatever the places are, the wanted are in exactly one slot each`() {
        var random = SplitMix(seed: 5)
        var assigner = SlotAssigner(occupants: Array(repeating: nil, count: 4))
        for _ in 0..<2_000 {
            let wanted = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                SourceID.named(Int.random(in: 0..<8, using: &random))
            }
            var places: [SourceID: Int] = [:]
            for place in 0..<6 where Bool.random(using: &random) {
                places[.named(Int.random(in: 0..<8, using: &random))] = place
            }
            // Two of them never want one place.
            for (source, place) in places where places.contains(where: { $0.value == place && $0.key != source }) {
                places[source] = nil
            }
            assigner.fill(with: wanted, places: places)
            var expected: [SourceID] = []
            for name in wanted where !expected.contains(name) { expected.append(name) }
            expected = Array(expected.prefix(4))
            let inside = assigner.occupants.compactMap(\.self)
            #expect(inside.count == expected.count && Set(inside) == Set(expected))
            for (index, occupant) in assigner.occupants.enumerated() {
                if let occupant, let place = places[occupant], place < 4 { #expect(place == index) }
            }
        }
    }

    @Test(arguments: [(1, 720), (2, 720), (3, 360), (9, 360), (10, 180), (25, 180)])
    func `tiles shrink as they become more`(tiles: Int, height: UInt16) {
        #expect(TileHeight.gallery(tiles: tiles) == height)
    }

    @Test func `a view is cleared of the viewer, of doubles and of too much`() {
        let many = (0..<1_000).map { ParticipantID.named($0) }
        let view = MediaView(
            visible: [.named(2), .named(1), .named(2)] + many, pinned: .named(1),
            heights: [.named(1): 9_999_999, .named(2): -4]
        ).without(.named(5))
        #expect(view.tiles.prefix(3) == [.named(1), .named(2), .named(0)])
        #expect(!view.tiles.contains(.named(5)) && view.tiles.count == MediaView.limit - 1)
        #expect(view.height(of: .named(1)) == .max && view.height(of: .named(2)) == 1)
        #expect(MediaView(visible: [.named(5)]).without(.named(5)).isDefault)
    }

    @Test func `in the speaker layout the first is large`() {
        let view = MediaView(layout: .speaker, visible: [.named(1), .named(2)])
        #expect(view.height(of: .named(1)) == 720 && view.height(of: .named(2)) == 180)
    }
}
