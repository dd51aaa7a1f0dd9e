/// Indices as links of lists inside the tables.
enum Link {
    static let none: UInt32 = 0xffff_ffff
}
