import Foundation
import QualityModel

/// A case's capacity and each flow's target over time, as SVG.
struct Plot {
    private static let width = 720.0
    private static let height = 240.0
    private static let colours = ["#1f6fb2", "#c2571a", "#2c8a4b", "#8a3fa0", "#a08a1f"]

    private let plan: Case
    private let outcome: Outcome
    private let most: Double

    init(_ plan: Case, _ outcome: Outcome) {
        self.plan = plan
        self.outcome = outcome
        let peak = stride(from: 0, to: plan.seconds, by: 0.5).map { plan.capacity.rate(at: Int($0 * 1e6)) }.max() ?? 1
        most = peak / 1e6 * 1.2
    }

    private func point(_ second: Double, _ megabits: Double) -> String {
        let x = second / plan.seconds * Self.width
        let y = Self.height * (1 - min(megabits / most, 1))
        return String(format: "%.1f,%.1f", x, y)
    }

    private func line(_ points: [String], _ colour: String, _ style: String = "") -> String {
        "<polyline fill=\"none\" stroke=\"\(colour)\" stroke-width=\"1.2\" \(style) points=\"\(points.joined(separator: " "))\"/>"
    }

    var text: String {
        let steps = stride(from: 0, to: plan.seconds, by: 0.1)
        let capacity = steps.map { point($0, plan.capacity.rate(at: Int($0 * 1e6)) / 1e6) }
        var lines = [line(capacity, "#888", "stroke-dasharray=\"4 3\"")]
        for (index, flow) in outcome.targets.enumerated() {
            // Five points a second are what can be seen.
            let points = stride(from: 0, to: flow.count, by: 4).map { point(flow[$0].second, flow[$0].megabits) }
            lines.append(line(points, Self.colours[index % Self.colours.count]))
        }
        let label = String(format: "%@: target of each flow, %.0f s by %.1f Mbit/s", plan.name, plan.seconds, most)
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -20 \(Self.width + 8) \(Self.height + 24)">
            <text x="0" y="-6" font-family="sans-serif" font-size="12" fill="#888">\(label)</text>
            \(lines.joined(separator: "\n"))
            </svg>

            """
    }
}
