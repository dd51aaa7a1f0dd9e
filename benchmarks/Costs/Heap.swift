@_spi(Benchmark) import Dataplane
import Prototype
import Wire

/// What the worker asks the heap for once it has started.
enum Heap {
    static let name = "heap calls in 1000000 packets"
    private static let packets = 1_000_000

    static func measure(port: DPDKPort) throws -> [Row] {
        var (calls, forwarded): (UInt64, Int) = (0, 0)
        // One call there must be, or the hook is not in place.
        let before = heap_calls()
        var kept: [[Int]] = [[forwarded]]
        kept.append([forwarded + 1])
        guard heap_calls() > before, kept.count == 2 else { throw Failure("the heap's calls are not counted") }
        for profile in [SRTPProfile.aeadAes128Gcm, .aes128CmHmacSha1] {
            var cost = try ForwardingCost.prepare(ForwardingCost.Load(profile: profile), port: port)
            cost.probe = heap_calls
            while forwarded < packets * (profile == .aeadAes128Gcm ? 1 : 2) / 2 {
                let round = try cost.round()
                calls += round.probed
                forwarded += round.packets
            }
        }
        return [
            Row(
                name: name, unit: "calls", value: Double(calls), limit: 0, goal: .atMost(0),
                note: "by a hook before malloc, free and the like; half of the packets GCM, half CM_SHA1_80",
                places: 0)
        ]
    }
}
