import COpus
import Wire

/// The sound of one file, where it belongs: 48 kHz, stereo, each sample at its place since the recording's begin.
///
/// Its times are whole ms, and its crystal is not ours: what is decoded follows itself without a seam, and is stretched by samples where it
/// would leave its times. Single packets that are missing are concealed, by what the next one knows of them (RFC 6716 section 2.1.7)
/// or by the decoder; more of them are silence.
final class VoiceTrack {
    /// Decoded sound at its place.
    struct Piece: Equatable {
        var start: Int
        /// Left and right in turn.
        var samples: [Float]

        var end: Int { start + samples.count / 2 }
    }

    static let rate = 48_000
    /// Samples of one packet at most (RFC 6716 section 2.1.4: 120 ms).
    private static let mostSamples = 5_760
    /// What is missing and concealed, samples: 100 ms.
    private static let mostConcealed = 4_800
    /// A sound that is so much too late or too early is left there: whole ms are 24 samples wrong.
    private static let tolerance = 36.0

    private(set) var failures = 0
    private let file: MediaFile
    private let decoder: OpaquePointer
    private var head: MediaFile.Head?
    /// Where the next packet's sound begins if it follows the last one; nil before the first.
    private var expected: Int?
    /// By how much its times are behind that, smoothed, samples.
    private var error = 0.0
    private var pieces: [Piece] = []
    private var room = [Float](repeating: 0, count: 2 * mostSamples)

    init(path: String) throws {
        file = try MediaFile(path: path)
        guard file.codec == .opus else { throw MediaError("it is not Opus") }
        var code: Int32 = 0
        guard let decoder = needletail_opus_decoder_create(Int32(Self.rate), 2, &code) else {
            throw MediaError("no memory for its decoder")
        }
        self.decoder = decoder
        head = file.next()
    }

    deinit { needletail_opus_decoder_destroy(decoder) }

    /// Adds what there is from `start` on to both sides. Never goes back.
    func add(to left: inout [Float], _ right: inout [Float], from start: Int) {
        let end = start + left.count
        while let packet = head, packet.time * (Self.rate / 1_000) < end + Self.mostSamples {
            // A decoder needs the 80 ms before what is heard (RFC 7845 section 4.6).
            if packet.time * (Self.rate / 1_000) >= start - Self.rate { take(packet) }
            head = file.next()
        }
        pieces.removeAll { $0.end <= start }
        for piece in pieces {
            for position in max(piece.start, start)..<max(min(piece.end, end), max(piece.start, start)) {
                left[position - start] += piece.samples[2 * (position - piece.start)]
                right[position - start] += piece.samples[2 * (position - piece.start) + 1]
            }
        }
    }

    private func take(_ packet: MediaFile.Head) {
        let data = UnsafePointer(file.packet.pointee.data)
        let size = file.packet.pointee.size
        let count = Int(needletail_opus_packet_samples(data, size, Int32(Self.rate)))
        guard count > 0, count <= Self.mostSamples else {
            failures += 1
            return
        }
        let target = packet.time * (Self.rate / 1_000)
        var begin = expected ?? target
        if target - begin > count / 2 {
            begin = conceal(target - begin, at: begin, data, size, count)
            if target - begin > count / 2 {
                begin = target
                error = 0
            }
        }
        // Times that go back: what is there already stays.
        guard target - begin > -4 * count else { return }
        error += (Double(target - begin) - error) / 8
        let most = Double(count / 20)
        let stretch = abs(error) < Self.tolerance ? 0 : Int(min(max(error / 8, -most), most))
        let decoded = needletail_opus_decode_float(decoder, data, size, &room, Int32(Self.mostSamples), 0)
        if decoded <= 0 { failures += 1 }
        let samples = decoded > 0 ? Array(room[..<(2 * Int(decoded))]) : [Float](repeating: 0, count: 2 * count)
        let piece = Piece(start: begin, samples: Self.stretched(samples, by: stretch))
        pieces.append(piece)
        expected = piece.end
    }

    /// Fills a hole of `missing` samples as far as it is to be; returns where what comes next begins.
    private func conceal(
        _ missing: Int, at begin: Int, _ data: UnsafePointer<UInt8>?, _ size: Int32, _ count: Int
    ) -> Int {
        guard expected != nil else { return begin }
        let lost = (missing + count / 2) / count
        let isShort = missing <= Self.mostConcealed + count / 2
        var position = begin
        for index in 0..<min(lost, max(Self.mostConcealed / count, 1)) {
            // The packet that came knows something of the one before it.
            let knows = isShort && index == lost - 1
            let made = needletail_opus_decode_float(
                decoder, knows ? data : nil, knows ? size : 0, &room, Int32(count), knows ? 1 : 0)
            guard made > 0 else { return position }
            pieces.append(Piece(start: position, samples: Array(room[..<(2 * Int(made))])))
            position += Int(made)
        }
        return position
    }

    /// The same sound in some samples more or fewer.
    static func stretched(_ samples: [Float], by difference: Int) -> [Float] {
        let count = samples.count / 2
        guard difference != 0, count > 1, count + difference > 1 else { return samples }
        let made = count + difference
        let step = Double(count - 1) / Double(made - 1)
        var result = [Float](repeating: 0, count: 2 * made)
        for index in 0..<made {
            let position = Double(index) * step
            let first = min(Int(position), count - 2)
            let part = Float(position - Double(first))
            for side in 0..<2 {
                let (from, to) = (samples[2 * first + side], samples[2 * first + 2 + side])
                result[2 * index + side] = from + (to - from) * part
            }
        }
        return result
    }
}
