import Testing

@testable import needletail

@Suite struct KernelStates {
    @Test(arguments: [("nt0", true), ("nt0:2", true), ("nt0:vip", true), ("nt01", false), ("nt", false), ("", false)])
    func anAddressIsFoundByTheBeginningOfItsLabel(label: String, isOurs: Bool) {
        #expect(label.withCString { KernelState.isName($0, of: "nt0") } == isOurs)
    }

    /// RFC 5905 section 6: era 1 begins on 7 February 2036.
    @Test(arguments: [
        (0, 2_208_988_800), (2_085_978_495, 4_294_967_295), (2_085_978_496, 0), (2_085_978_500, 4), (-2_208_988_800, 0),
    ])
    func theWallClockOfAnyEraIsNTPTime(unix: Double, seconds: UInt64) {
        #expect(WorkerSet.ntpTime(unix) >> 32 == seconds)
        #expect(WorkerSet.ntpTime(unix + 0.5) >> 32 == seconds)
        #expect(abs(Int64(WorkerSet.ntpTime(unix + 0.5) & 0xffff_ffff) - 0x8000_0000) < 4_096)
    }
}
