/// Where a meeting's history stands: the epoch of its Home, and the number of the last change, which rises over all epochs.
public struct Revision: Hashable, Sendable {
    public let epoch: UInt64
    public let number: UInt64

    public init(epoch: UInt64, number: UInt64) {
        self.epoch = epoch
        self.number = number
    }

    /// No meeting makes as many changes; above it what comes is malformed, so that nothing overflows.
    public static let mostNumber: UInt64 = (1 << 48) - 1
}

/// Which request a change came from: that of a PoP's client, by the PoP's count.
public struct RequestOrigin: Hashable, Sendable {
    public let pop: PoPInstance
    public let id: UInt64

    public init(pop: PoPInstance, id: UInt64) {
        self.pop = pop
        self.id = id
    }
}

/// The requests of one PoP that are in a meeting's history. Requests come in the order of their ids, and fewer than `width`
/// are on their way, so older ones were answered.
public struct RequestWindow: Hashable, Sendable {
    public static let width: UInt64 = 64

    public private(set) var highest: UInt64 = 0
    /// Bit n: the request `highest - n`.
    public private(set) var mask: UInt64 = 0

    public init() {}

    public init(highest: UInt64, mask: UInt64) {
        self.highest = highest
        self.mask = mask
    }

    public func contains(_ id: UInt64) -> Bool {
        guard id <= highest else { return false }
        let age = highest - id
        return age >= Self.width || mask >> age & 1 == 1
    }

    public mutating func insert(_ id: UInt64) {
        if id > highest {
            let step = id - highest
            mask = step >= Self.width ? 1 : mask << step | 1
            highest = id
        } else if highest - id < Self.width {
            mask |= 1 << (highest - id)
        }
    }
}

/// Which requests are in a meeting's history, for each PoP that made some: a request that comes again, also to another Home,
/// is not made twice.
public struct RequestOrigins: Hashable, Sendable {
    /// As many as there may be PoPs.
    public static let limit = RegistryLimits.pops

    private struct Entry: Hashable, Sendable {
        var instance: UInt64
        var window: RequestWindow
    }

    /// A PoP that was started again has lost its requests: only its latest instance counts.
    private var entries: [PoPName: Entry] = [:]

    public init() {}

    public func contains(_ origin: RequestOrigin) -> Bool {
        guard let entry = entries[origin.pop.name], entry.instance == origin.pop.instance else { return false }
        return entry.window.contains(origin.id)
    }

    public mutating func insert(_ origin: RequestOrigin) {
        var entry = entries[origin.pop.name]
        if entry?.instance != origin.pop.instance {
            if entry == nil, entries.count >= Self.limit { return }
            entry = Entry(instance: origin.pop.instance, window: RequestWindow())
        }
        entry!.window.insert(origin.id)
        entries[origin.pop.name] = entry
    }

    func write(to writer: inout LinkWriter) {
        writer.put(UInt16(entries.count))
        for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
            writer.put(name.rawValue)
            writer.put(entry.instance)
            writer.put(entry.window.highest)
            writer.put(entry.window.mask)
        }
    }

    init(_ reader: inout LinkReader) throws(LinkFailure) {
        let count = try reader.integer(UInt16.self)
        guard count <= Self.limit else { throw .malformed("\(count) PoPs") }
        for _ in 0..<count {
            let name = try reader.pop()
            let instance = try reader.integer(UInt64.self)
            let window = RequestWindow(highest: try reader.number(), mask: try reader.integer())
            entries[name] = Entry(instance: instance, window: window)
        }
    }
}
