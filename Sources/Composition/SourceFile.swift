import Wire

/// A file of a recording, and when there is something in it.
public struct SourceFile: Sendable, Equatable {
    /// Below the recording's folder.
    public var file: String
    public var participantID: String
    public var kind: MediaKind
    /// United; without the holes.
    public var spans: [Span]
    /// When its keyframes are, ms, in order.
    public var keyframes: [Int]

    /// Without another frame the last picture is shown so long, ms.
    static let hold = 5_000

    var from: Int { spans.first?.from ?? 0 }
    var until: Int { spans.last?.until ?? 0 }

    /// The last keyframe at or before a moment, ms.
    func keyframe(before moment: Int) -> Int? {
        var (low, high) = (0, keyframes.count)
        while low < high {
            let middle = (low + high) / 2
            if keyframes[middle] <= moment { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? keyframes[low - 1] : nil
    }
}
