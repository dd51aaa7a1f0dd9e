@_spi(Benchmark) import Dataplane
import Prototype
import Wire

/// One way to spend cycles on a packet.
struct Contender {
    let name: String
    /// Runs a round: the cycles of the time stamp counter, and for how many packets.
    let round: () throws -> (cycles: UInt64, packets: Int)

    static func forwarding(_ name: String, _ load: ForwardingCost.Load, _ port: DPDKPort) throws -> Contender {
        let cost = Shared(try ForwardingCost.prepare(load, port: port))
        return Contender(name: name) {
            let round = try cost.value.round()
            return (round.cycles, round.packets)
        }
    }

    /// The C prototype for the same packets.
    static func prototype(_ load: ForwardingCost.Load, _ port: DPDKPort) throws -> Contender {
        let name = port.configuration.name
        guard
            let prototype = prototype_make(
                name, "\(name).0", UInt32(load.receivers), UInt32(load.extensionLength), UInt32(load.payloadLength))
        else { throw Failure("there is no memory for the prototype") }
        let kept = Shared(OwnedPrototype(pointer: prototype))
        guard prototype_is_right(prototype) != 0 else { throw Failure("the prototype seals wrongly") }
        let clock = CycleClock()
        let packets = UInt32(load.packetsPerRound)
        return Contender(name: "C prototype") {
            let began = clock.cycles()
            let sent = prototype_forward(kept.value.pointer, packets)
            return (clock.cycles() &- began, Int(sent))
        }
    }

    /// `way` alone seals for as many receivers; `rounds`: packets for each key in one of our rounds.
    static func sealing(
        _ name: String, _ way: SrtpCost.Way, _ load: ForwardingCost.Load, rounds: Int
    ) throws -> Contender {
        guard
            let cost = SrtpCost(
                way, profile: load.profile, keyCount: load.receivers, payloadLength: load.payloadLength)
        else { throw Failure("this CPU cannot do \(name)") }
        let shared = Shared(cost)
        let clock = CycleClock()
        var first = 1
        return Contender(name: name) {
            let began = clock.cycles()
            let packets = shared.value.seal(rounds: rounds, first: first)
            let cycles = clock.cycles() &- began
            first += rounds
            return (cycles, packets)
        }
    }

    /// A closure cannot capture what cannot be copied.
    private final class Shared<Value: ~Copyable> {
        var value: Value

        init(_ value: consuming Value) { self.value = value }
    }

    private struct OwnedPrototype: ~Copyable {
        let pointer: OpaquePointer

        deinit { prototype_free(pointer) }
    }
}

/// Why there is no table.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
