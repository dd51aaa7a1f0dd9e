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
    static func prototype(
        _ load: ForwardingCost.Load, _ port: DPDKPort, packets: Int? = nil
    ) throws -> Contender {
        let name = port.configuration.name
        guard
            let prototype = prototype_make(
                name, "\(name).0", UInt32(load.receivers), UInt32(load.extensionLength), UInt32(load.payloadLength))
        else { throw Failure("there is no memory for the prototype") }
        let kept = Shared(OwnedPrototype(pointer: prototype))
        guard prototype_is_right(prototype) != 0 else { throw Failure("the prototype seals wrongly") }
        let clock = CycleClock()
        let packets = UInt32(packets ?? load.packetsPerRound)
        return Contender(name: "C prototype") {
            let began = clock.cycles()
            let sent = prototype_forward(kept.value.pointer, packets)
            return (clock.cycles() &- began, Int(sent))
        }
    }

    /// `way` alone seals for as many receivers; `rounds`: packets for each key in one of our rounds.
    static func sealing(
        _ name: String, _ way: SRTPCost.Way, _ load: ForwardingCost.Load, rounds: Int
    ) throws -> Contender {
        guard
            let cost = SRTPCost(
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

    /// ipsec-mb alone, from C, on packets like the worker's: seals for as many receivers, or opens the packets of as many
    /// publishers in place.
    static func transform(
        _ name: String, _ load: ForwardingCost.Load, keys: Int, rounds: Int, opens: Bool = false
    ) throws -> Contender {
        let kind = load.profile == .aes128CmHmacSha1 ? transform_counter_mode : transform_gcm
        guard
            let transform = transform_make(
                kind, UInt32(keys), UInt32(12 + load.extensionLength), UInt32(load.payloadLength))
        else { throw Failure("there is no memory for \(name)") }
        let kept = Shared(OwnedTransform(pointer: transform))
        guard transform_is_right(transform) != 0 else { throw Failure("\(name) does not open what it sealed") }
        let clock = CycleClock()
        return Contender(name: name) {
            let (pointer, count) = (kept.value.pointer, UInt32(rounds))
            let began = clock.cycles()
            let packets = opens ? transform_open(pointer, count) : transform_seal(pointer, count)
            return (clock.cycles() &- began, Int(packets))
        }
    }

    /// The worker's engine opens bursts of 32.
    static func opening(_ name: String, _ profile: SRTPProfile, payloadLength: Int = 1_100) throws -> Contender {
        guard let cost = SRTPCost(.ipsecMB, profile: profile, keyCount: 64, payloadLength: payloadLength) else {
            throw Failure("this CPU cannot do \(name)")
        }
        let shared = Shared(cost)
        let clock = CycleClock()
        var index = 1
        return Contender(name: name) {
            var (cycles, packets): (UInt64, Int) = (0, 0)
            for _ in 0..<16 {
                packets += shared.value.prepareToOpen(index)
                index += 1
                let began = clock.cycles()
                shared.value.open()
                cycles &+= clock.cycles() &- began
            }
            guard shared.value.haveOpened else { throw Failure("\(name) refused a packet") }
            return (cycles, packets)
        }
    }

    /// The worker receives what nobody watches.
    static func receiving(_ name: String, _ profile: SRTPProfile, _ port: DPDKPort) throws -> Contender {
        let cost = Shared(try ReceivingCost.prepare(profile, port: port))
        return Contender(name: name) {
            let round = try cost.value.round()
            return (round.cycles, round.packets)
        }
    }

    /// The worker seals into Lanes, or receives over them.
    static func lanes(_ name: String, _ way: LaneCost.Way, count: Int, _ port: DPDKPort) throws -> Contender {
        let cost = Shared(try LaneCost.prepare(way, count: count, port: port))
        return Contender(name: name) {
            let round = try cost.value.round()
            return (round.cycles, round.packets)
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

    private struct OwnedTransform: ~Copyable {
        let pointer: OpaquePointer

        deinit { transform_free(pointer) }
    }
}

/// Why there is no table.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
