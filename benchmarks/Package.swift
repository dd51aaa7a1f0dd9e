// swift-tools-version: 6.1
import PackageDescription

// What a target needs that includes DPDK's headers, itself or through Dataplane; the same as in the package that is
// measured.
let dpdkFlags = [
    "-I/usr/include/dpdk", "-I/usr/include/x86_64-linux-gnu/dpdk", "-include", "rte_config.h",
    "-march=x86-64-v3",
]

let package = Package(
    name: "benchmarks",
    dependencies: [.package(name: "needletail", path: "..")],
    targets: [
        .target(name: "Prototype", path: "Prototype", cSettings: [.unsafeFlags(dpdkFlags + ["-O3"])]),
        .executableTarget(
            name: "costs",
            dependencies: [
                "Prototype", .product(name: "Dataplane", package: "needletail"),
                .product(name: "Agents", package: "needletail"),
            ],
            path: "Costs",
            swiftSettings: [.unsafeFlags(dpdkFlags.flatMap { ["-Xcc", $0] })]),
        .executableTarget(
            name: "in-process", dependencies: [.product(name: "Dataplane", package: "needletail")], path: "InProcess",
            swiftSettings: [.unsafeFlags(dpdkFlags.flatMap { ["-Xcc", $0] })]),
        .executableTarget(
            name: "quality", dependencies: [.product(name: "QualityModel", package: "needletail")], path: "Quality",
            exclude: ["Model"], swiftSettings: [.unsafeFlags(dpdkFlags.flatMap { ["-Xcc", $0] })]),
        // The load of benchmarks/peers: on sockets and libraries that Needletail's data plane does not use.
        .executableTarget(
            name: "generator", path: "Generator", cSettings: [.unsafeFlags(["-O2"])],
            linkerSettings: ["ssl", "crypto", "srtp2"].map { .linkedLibrary($0) }),
    ],
    swiftLanguageModes: [.v6]
)
