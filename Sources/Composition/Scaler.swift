import CAV

/// Scales pictures of any size and format to one of ours; prepared once for as long as the sizes stay.
final class Scaler {
    private struct Key: Equatable {
        var width: Int32
        var height: Int32
        var format: Int32
    }

    /// What was scaled last. The scaler writes whole vectors, and so beyond a row's end: never into a part of a larger picture.
    let result: Picture
    private var key: Key?
    private var context: OpaquePointer?

    init(width: Int, height: Int, isFullRange: Bool = false) throws {
        result = try Picture(width: width, height: height, isFullRange: isFullRange)
    }

    deinit { needletail_sws_free(context) }

    /// Brings a frame to `result`.
    func scale(_ frame: UnsafeMutablePointer<AVFrame>) throws {
        let new = Key(width: frame.pointee.width, height: frame.pointee.height, format: frame.pointee.format)
        if new != key {
            needletail_sws_free(context)
            context = needletail_sws_alloc(
                new.width, new.height, AVPixelFormat(rawValue: new.format), Int32(result.width), Int32(result.height),
                AVPixelFormat(rawValue: result.frame.pointee.format))
            key = context == nil ? nil : new
        }
        guard let context else { throw MediaError("pictures of this kind cannot be scaled") }
        try result.prepareToDraw()
        let code = needletail_sws_scale(context, frame, result.frame)
        guard code > 0 else { throw MediaError("scaling", code: code) }
    }
}
