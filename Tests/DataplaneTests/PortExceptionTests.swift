import Testing
import Wire

@testable import Dataplane

@Suite("The exception path's parts")
struct PortExceptionTests {
    @Test func anAllowanceLetsARatePassAndABurst() {
        var allowance = FrameAllowance(rate: 1_000, burst: 10)
        var passed = 0
        // From any time on: a clock need not begin at 0.
        for step in 0..<20_000 where allowance.available(now: 5_000_000_000 + UInt64(step) * 100_000) > 0 {
            allowance.take(1)
            passed += 1
        }
        #expect((2_005...2_012).contains(passed), "2 s at 1,000 a second and 10 at once, not \(passed)")
    }

    @Test func anAllowanceOfNothingIsNothing() {
        var allowance = FrameAllowance(rate: 0, burst: 10)
        #expect(allowance.available(now: 0) == 0)
        #expect(allowance.available(now: .max) == 0)
    }

    @Test(arguments: [
        ("nt0", "net_tap_exception,iface=nt0,mac=02:00:00:00:00:07"),
        ("net_tap3,iface=up", "net_tap3,iface=up,mac=02:00:00:00:00:07"),
        ("net_tap3,iface=up,mac=02:00:00:00:00:01", "net_tap3,iface=up,mac=02:00:00:00:00:01"),
    ])
    func aShortFormIsATapWithThePortsAddress(text: String, device: String) {
        let made = ExceptionPort.configuration(text, mac: MACAddress(0x0200_0000_0007), mtu: 1_400)
        #expect(made.device == device)
        #expect(made.workers == 1 && made.mtu == 1_400)
    }

    @Test(arguments: ["", "a/b", "much-too-long-name", "net_tap1", "net_tap1,iface=", "..", "nt 0", "nt0,mac=1"])
    func aNameThatTheKernelRefusesIsNone(text: String) {
        #expect(ExceptionPort.interface(text) == nil)
    }
}
