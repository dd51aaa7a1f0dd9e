extension Case {
    private static func with(_ value: Case, _ change: (inout Case) -> Void) -> Case {
        var value = value
        change(&value)
        return value
    }

    private static func flow(_ change: (inout FlowPlan) -> Void) -> FlowPlan {
        var plan = FlowPlan()
        change(&plan)
        return plan
    }

    private static func flows(starting starts: [Double]) -> [FlowPlan] {
        starts.map { start in flow { $0.start = start } }
    }

    /// RFC 8867's cases.
    public static let standard: [Case] = [
        Case("5.1", 100, [(0, 1), (40, 2.5), (60, 0.6), (80, 1)]),
        with(Case("5.2", 125, [(0, 4), (25, 2), (50, 3.5), (75, 1), (100, 2)])) {
            $0.flows = flows(starting: [0, 0])
            $0.fairness = 10...125
        },
        with(Case("5.3", 100, [(0, 2), (20, 1), (40, 0.5), (60, 2)])) {
            $0.flows = [FlowPlan(), flow { $0.isReverse = true }]
            $0.back = CapacitySchedule([(0, 2), (35, 0.8), (70, 2)])
        },
        with(Case("5.4", 120, [(0, 3.5)])) {
            $0.flows = flows(starting: [0, 20, 40])
            $0.fairness = 60...120
        },
        with(Case("5.5", 300, [(0, 4)])) {
            let ways: [Double] = [0.01, 0.025, 0.05, 0.1, 0.15]
            $0.flows = ways.enumerated().map { index, way in
                flow {
                    $0.start = Double(index * 10)
                    $0.oneWay = way
                }
            }
            $0.fairness = 100...300
        },
        with(Case("5.6", 120, [(0, 2)])) {
            $0.flows = flows(starting: [5])
            $0.tcp = [(0, nil)]
            $0.fairness = 20...120
        },
        with(Case("5.7", 300, [(0, 2)])) {
            $0.flows = flows(starting: [5, 5])
            $0.shortTCP = 10
        },
        with(Case("5.8", 120, [(0, 3.5)])) {
            $0.flows = flows(starting: [0, 0, 0])
            $0.flows[0].silence = 40...60
            $0.flows[0].wanted = [(0, 5), (40, 0.05), (60, 5)]
            $0.fairness = 80...120
        },
    ]

    /// What meetings meet beside.
    public static let own: [Case] = [
        with(Case("a", 60, [(0, 12)])) {
            $0.flows[0].oneWay = 0.02
            $0.flows[0].wanted = [(0, 18)]
        },
        Case("b", 120, [(0, 3), (30, 0.5), (60, 3)]),
        with(Case("c", 60, [(0, 3)])) { $0.randomLoss = 0.1 },
        with(Case("d", 60, [(0, 3)])) { $0.randomLoss = 0.02 },
        with(Case("e", 60, [(0, 0.05)])) {
            $0.flows[0].wanted = [(0, 1)]
            $0.flows[0].leastRate = 20_000
        },
        with(Case("f1", 60, [(0, 3)])) { $0.variation = .jitter(30_000) },
        with(Case("f2", 60, [(0, 3)])) { $0.variation = .stalls(100_000, period: 2_000_000) },
        with(Case("g", 120, [(0, 3)])) {
            $0.flows[0].wanted = [(0, 0.3), (60, 2.5)]
            $0.reference = (60, 2.5)
        },
        with(Case("h", 80, [(0, 3), (20, 0.8), (40, 3)])) {
            $0.flows[0].wanted = [(0, 2.5)]
            $0.flows[0].layers = [150_000, 500_000, 1_200_000, 2_500_000]
        },
        with(Case("5.1 deep", 100, [(0, 1), (40, 2.5), (60, 0.6), (80, 1)])) { $0.depth = 1 },
    ]

    public static var all: [Case] { standard + own }
}
