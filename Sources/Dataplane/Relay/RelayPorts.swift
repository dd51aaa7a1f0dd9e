/// The relayed ports of one worker in one family, free or taken. The free ones are a list in random order, taken from its
/// front and given back at its end, so that a port stays unused as long as possible before it is given to another client
/// (RFC 8656 section 7.2).
struct RelayPorts: ~Copyable {
    private static var none: UInt16 { .max }
    /// How many free ports a search for an even one looks at.
    private static var search: Int { 4_096 }

    /// The first port, and how many follow each other.
    let base: UInt16
    let capacity: Int
    /// 1 where taken.
    private let taken: UnsafeMutablePointer<UInt8>
    /// The list of free ports, by place.
    private let next: UnsafeMutablePointer<UInt16>
    private let previous: UnsafeMutablePointer<UInt16>
    private var first = RelayPorts.none
    private var last = RelayPorts.none
    private(set) var freeCount = 0

    /// `base` is even.
    init(base: UInt16, count: Int, random: inout RandomSource) {
        self.base = base
        capacity = count
        taken = .allocate(capacity: max(count, 1))
        taken.initialize(repeating: 1, count: max(count, 1))
        next = .allocate(capacity: max(count, 1))
        previous = .allocate(capacity: max(count, 1))
        let order = (0..<count).shuffled(using: &random)
        for place in order { release(base &+ UInt16(place)) }
    }

    deinit {
        taken.deallocate()
        next.deallocate()
        previous.deallocate()
    }

    func isFree(_ port: UInt16) -> Bool {
        let place = Int(port) - Int(base)
        return place >= 0 && place < capacity && taken[place] == 0
    }

    /// Takes any port.
    mutating func take() -> UInt16? {
        guard first != Self.none else { return nil }
        return take(at: first)
    }

    /// Takes an even port; with `pair` the next one is free and taken too.
    mutating func takeEven(pair: Bool) -> UInt16? {
        var place = first
        for _ in 0..<Self.search {
            guard place != Self.none else { return nil }
            // The base is even, so even places are even ports.
            if place & 1 == 0 && (!pair || isFree(base &+ place &+ 1)) {
                let port = take(at: place)
                if pair { _ = take(at: place &+ 1) }
                return port
            }
            place = next[Int(place)]
        }
        return nil
    }

    private mutating func take(at place: UInt16) -> UInt16 {
        let before = previous[Int(place)]
        let after = next[Int(place)]
        if before == Self.none { first = after } else { next[Int(before)] = after }
        if after == Self.none { last = before } else { previous[Int(after)] = before }
        taken[Int(place)] = 1
        freeCount &-= 1
        return base &+ place
    }

    /// Gives a taken port back; others are ignored.
    mutating func release(_ port: UInt16) {
        let place = Int(port) - Int(base)
        guard place >= 0, place < capacity, taken[place] == 1 else { return }
        let number = UInt16(place)
        taken[place] = 0
        next[place] = Self.none
        previous[place] = last
        if last == Self.none { first = number } else { next[Int(last)] = number }
        last = number
        freeCount &+= 1
    }
}
