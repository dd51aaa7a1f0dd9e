import Testing

@testable import needletail

/// Whom descriptors are for when there are few.
@Suite struct DescriptorPlanTests {
    @Test func whereThereAreEnoughEachGetsWhatItWants() {
        let plan = DescriptorPlan(limit: 65_536, used: 60, api: 8_192, ops: 256, streams: 1_000)
        #expect(plan.api == 8_192 && plan.ops == 256 && plan.streams == 1_000)
    }

    @Test func connectionsNeverTakeWhatTheNodeNeeds() {
        for limit in [0, 64, 100, 200, 256, 1_024, 4_096] {
            for streams in [0, 1, 4_096] {
                let plan = DescriptorPlan(limit: limit, used: 50, api: 8_192, ops: 256, streams: streams)
                #expect(plan.api >= 1 && plan.ops >= 4 && (plan.streams >= 1) == (streams > 0))
                if limit >= 200 {
                    #expect(plan.api + plan.ops + plan.streams + DescriptorPlan.reserve + 50 <= limit)
                }
            }
        }
    }

    @Test func theStartNeedsSomeForItself() {
        #expect(DescriptorPlan.least(used: 10, cores: 2) == 28)
        #expect(DescriptorPlan.least(used: 10, cores: 64) == 214)
    }

    @Test func bothKindsShareWhatThereIs() {
        let plan = DescriptorPlan(limit: 1_024, used: 76, api: 3_000, ops: 256, streams: 1_000)
        #expect(plan.ops == 225)
        #expect(plan.api == 507 && plan.streams == 168)
    }
}
