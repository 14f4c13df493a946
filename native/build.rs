//! Tells the tests which instructions the machine has, so that what cannot run on it is reported as ignored.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(ifma_here)");
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma") {
        println!("cargo::rustc-cfg=ifma_here");
    }
}
