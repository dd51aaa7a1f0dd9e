import CAV

/// A picture of 8 bits, 4:2:0, that we own.
final class Picture {
    let frame: UnsafeMutablePointer<AVFrame>
    let width: Int
    let height: Int

    /// - Parameter isFullRange: luma from 0 to 255, as JPEG has it, not from 16 to 235.
    init(width: Int, height: Int, isFullRange: Bool = false) throws {
        guard let frame = needletail_av_frame_alloc() else { throw MediaError("no memory") }
        self.frame = frame
        (self.width, self.height) = (width, height)
        frame.pointee.width = Int32(width)
        frame.pointee.height = Int32(height)
        frame.pointee.format = (isFullRange ? AV_PIX_FMT_YUVJ420P : AV_PIX_FMT_YUV420P).rawValue
        frame.pointee.color_range = isFullRange ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG
        let code = needletail_av_frame_get_buffer(frame)
        guard code >= 0 else { throw MediaError("a picture", code: code) }
    }

    deinit { needletail_av_frame_free(frame) }

    /// To be called before it is drawn into: an encoder may still hold what it was.
    func prepareToDraw() throws {
        let code = needletail_av_frame_make_writable(frame)
        guard code >= 0 else { throw MediaError("a picture", code: code) }
    }

    /// A plane's first byte and bytes from row to row; 0 is luma.
    private static func plane(_ frame: UnsafeMutablePointer<AVFrame>, _ index: Int) -> (
        UnsafeMutablePointer<UInt8>, Int
    ) {
        switch index {
        case 0: (frame.pointee.data.0!, Int(frame.pointee.linesize.0))
        case 1: (frame.pointee.data.1!, Int(frame.pointee.linesize.1))
        default: (frame.pointee.data.2!, Int(frame.pointee.linesize.2))
        }
    }

    /// Fills a rectangle, which is inside, with grey.
    func fill(_ place: Rectangle, luma: UInt8) {
        for index in 0..<3 {
            let half = index == 0 ? 0 : 1
            let (base, stride) = Self.plane(frame, index)
            for row in (place.y >> half)..<((place.y + place.height) >> half) {
                (base + row * stride + place.x >> half).update(
                    repeating: index == 0 ? luma : 128, count: place.width >> half)
            }
        }
    }

    /// Copies another one to a place, as far as it is inside.
    func draw(_ other: UnsafeMutablePointer<AVFrame>, at place: Rectangle) {
        let columns = min(Int(other.pointee.width), width - place.x)
        let rows = min(Int(other.pointee.height), height - place.y)
        guard columns > 0, rows > 0, place.x >= 0, place.y >= 0 else { return }
        for index in 0..<3 {
            let half = index == 0 ? 0 : 1
            let (base, stride) = Self.plane(frame, index)
            let (from, fromStride) = Self.plane(other, index)
            for row in 0..<((rows + half) >> half) {
                (base + ((place.y >> half) + row) * stride + place.x >> half).update(
                    from: from + row * fromStride, count: (columns + half) >> half)
            }
        }
    }

    /// Darkens what is behind a label, and writes it in white; as far as it is inside.
    func blend(_ label: Label, x: Int, y: Int) {
        let columns = min(label.width, width - x)
        let rows = min(label.height, height - y)
        guard columns > 0, rows > 0, x >= 0, y >= 0 else { return }
        let (luma, stride) = Self.plane(frame, 0)
        label.coverage.withUnsafeBufferPointer { coverage in
            for row in 0..<rows {
                let line = luma + (y + row) * stride + x
                let mask = coverage.baseAddress! + row * label.width
                for column in 0..<columns {
                    let dark = (Int(line[column]) * 90) >> 8 + 12
                    line[column] = UInt8(clamping: dark + ((235 - dark) * Int(mask[column])) / 255)
                }
            }
        }
        for index in 1...2 {
            let (chroma, stride) = Self.plane(frame, index)
            for row in (y >> 1)..<((y + rows) >> 1) {
                let line = chroma + row * stride
                for column in (x >> 1)..<((x + columns) >> 1) {
                    line[column] = UInt8(clamping: 128 + ((Int(line[column]) - 128) * 90) >> 8)
                }
            }
        }
    }
}
