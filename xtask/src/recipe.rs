//! Which files make a CPU libtorch on which platform.
//!
//! The PyTorch wheels for Linux are CUDA builds. What the CPU needs of them is listed here by name: the NEEDED entries of
//! `libtorch_cpu.so`, followed to the end. The checksums are those of the files on the Python package index.

/// The version of libtorch that the `tch` crate named in the workspace manifest is written for.
pub(crate) const VERSION: &str = "2.11.0";

/// Raised whenever a recipe changes, so that copies made by an older one are made anew.
pub(crate) const REVISION: u32 = 1;

/// One wheel and what is taken out of it.
#[derive(Debug)]
pub(crate) struct Wheel {
    /// What pip is asked for.
    pub(crate) requirement: &'static str,
    /// The platform tag that pip is asked for: the wheel does not depend on the Python that happens to be installed.
    pub(crate) tag: &'static str,
    /// Size of the download, in units of 1,000,000 bytes.
    pub(crate) megabytes: u32,
    /// Checksum of the published file.
    pub(crate) sha256: &'static str,
    /// Pairs (member of the wheel, path below the libtorch folder). A name that ends in `/` stands for all below it.
    pub(crate) members: &'static [(&'static str, &'static str)],
}

/// How a libtorch folder is made on one platform.
#[derive(Debug)]
pub(crate) struct Recipe {
    /// Part of the folder's name, so that a home folder shared by unlike machines holds one copy for each.
    pub(crate) platform: &'static str,
    /// The wheels, in the order in which they are fetched: the small ones first.
    pub(crate) wheels: &'static [Wheel],
    /// Small text files that are written beside the libraries: (path, content).
    pub(crate) scripts: &'static [(&'static str, &'static str)],
    /// Free disk space that the making needs, in units of 1,000,000 bytes: pip holds the largest wheel twice for a moment.
    pub(crate) disk_megabytes: u64,
}

impl Recipe {
    /// Paths, below the libtorch folder, of the libraries that the recipe makes.
    pub(crate) fn libraries(&self) -> impl Iterator<Item = &'static str> {
        let members = self.wheels.iter().flat_map(|wheel| wheel.members).map(|&(_, to)| to);
        members.filter(|to| !to.ends_with('/')).chain(self.scripts.iter().map(|&(path, _)| path))
    }
}

/// Linker scripts. The wheel's own `libtorch.so` needs the CUDA libraries, and a compiler other than gcc may lack `libgomp.so`.
const LINUX_SCRIPTS: &[(&str, &str)] =
    &[("lib/libtorch.so", "INPUT(libtorch_cpu.so)\n"), ("lib/libgomp.so", "INPUT(libgomp.so.1)\n")];

const LINUX_X86_64: Recipe = Recipe {
    platform: "linux-x86_64",
    wheels: &[
        Wheel {
            requirement: "nvidia-cuda-runtime==13.0.96",
            tag: "manylinux2014_x86_64",
            megabytes: 2,
            sha256: "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
            members: &[("nvidia/cu13/lib/libcudart.so.13", "lib/libcudart.so.13")],
        },
        Wheel {
            requirement: "nvidia-cuda-cupti==13.0.85",
            tag: "manylinux_2_25_x86_64",
            megabytes: 11,
            sha256: "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8",
            members: &[("nvidia/cu13/lib/libcupti.so.13", "lib/libcupti.so.13")],
        },
        Wheel {
            requirement: "torch==2.11.0",
            tag: "manylinux_2_28_x86_64",
            megabytes: 531,
            sha256: "7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a",
            members: &[
                ("torch/include/", "include/"),
                ("torch/lib/libc10.so", "lib/libc10.so"),
                ("torch/lib/libgomp.so.1", "lib/libgomp.so.1"),
                ("torch/lib/libtorch_cpu.so", "lib/libtorch_cpu.so"),
            ],
        },
    ],
    scripts: LINUX_SCRIPTS,
    disk_megabytes: 1200,
};

const LINUX_AARCH64: Recipe = Recipe {
    platform: "linux-aarch64",
    wheels: &[
        Wheel {
            requirement: "nvidia-cuda-runtime==13.0.96",
            tag: "manylinux2014_aarch64",
            megabytes: 2,
            sha256: "ef9bcbe90493a2b9d810e43d249adb3d02e98dd30200d86607d8d02687c43f55",
            members: &[("nvidia/cu13/lib/libcudart.so.13", "lib/libcudart.so.13")],
        },
        Wheel {
            requirement: "nvidia-cuda-cupti==13.0.85",
            tag: "manylinux_2_25_aarch64",
            megabytes: 10,
            sha256: "796bd679890ee55fb14a94629b698b6db54bcfd833d391d5e94017dd9d7d3151",
            members: &[("nvidia/cu13/lib/libcupti.so.13", "lib/libcupti.so.13")],
        },
        Wheel {
            requirement: "torch==2.11.0",
            tag: "manylinux_2_28_aarch64",
            megabytes: 420,
            sha256: "d91aac77f24082809d2c5a93f52a5f085032740a1ebc9252a7b052ef5a4fddc6",
            members: &[
                ("torch/include/", "include/"),
                ("torch/lib/libarm_compute.so", "lib/libarm_compute.so"),
                ("torch/lib/libarm_compute_graph.so", "lib/libarm_compute_graph.so"),
                ("torch/lib/libc10.so", "lib/libc10.so"),
                ("torch/lib/libgomp.so.1", "lib/libgomp.so.1"),
                ("torch/lib/libnvpl_blas_core.so.0", "lib/libnvpl_blas_core.so.0"),
                ("torch/lib/libnvpl_blas_lp64_gomp.so.0", "lib/libnvpl_blas_lp64_gomp.so.0"),
                ("torch/lib/libnvpl_lapack_core.so.0", "lib/libnvpl_lapack_core.so.0"),
                ("torch/lib/libnvpl_lapack_lp64_gomp.so.0", "lib/libnvpl_lapack_lp64_gomp.so.0"),
                ("torch/lib/libtorch_cpu.so", "lib/libtorch_cpu.so"),
            ],
        },
    ],
    scripts: LINUX_SCRIPTS,
    disk_megabytes: 1000,
};

const MACOS_AARCH64: Recipe = Recipe {
    platform: "macos-aarch64",
    wheels: &[Wheel {
        requirement: "torch==2.11.0",
        tag: "macosx_11_0_arm64",
        megabytes: 81,
        sha256: "7b6a60d48062809f58595509c524b88e6ddec3ebe25833d6462eeab81e5f2ce4",
        members: &[
            ("torch/include/", "include/"),
            ("torch/lib/libc10.dylib", "lib/libc10.dylib"),
            ("torch/lib/libomp.dylib", "lib/libomp.dylib"),
            ("torch/lib/libtorch.dylib", "lib/libtorch.dylib"),
            ("torch/lib/libtorch_cpu.dylib", "lib/libtorch_cpu.dylib"),
        ],
    }],
    scripts: &[],
    disk_megabytes: 500,
};

/// The recipe for a platform, by Rust's names of its parts; `environment` is `"gnu"`, `"musl"` or empty.
pub(crate) fn recipe(os: &str, architecture: &str, environment: &str) -> Option<&'static Recipe> {
    match (os, architecture, environment) {
        ("linux", "x86_64", "gnu") => Some(&LINUX_X86_64),
        ("linux", "aarch64", "gnu") => Some(&LINUX_AARCH64),
        ("macos", "aarch64", _) => Some(&MACOS_AARCH64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&Recipe; 3] = [&LINUX_X86_64, &LINUX_AARCH64, &MACOS_AARCH64];

    #[test]
    fn platform_decides_the_wheel() {
        let tag = |os, arch, env| recipe(os, arch, env).and_then(|r| r.wheels.last()).map(|wheel| wheel.tag);
        assert_eq!(tag("linux", "x86_64", "gnu"), Some("manylinux_2_28_x86_64"));
        assert_eq!(tag("linux", "aarch64", "gnu"), Some("manylinux_2_28_aarch64"));
        assert_eq!(tag("macos", "aarch64", ""), Some("macosx_11_0_arm64"));
    }

    #[test]
    fn platforms_without_a_fitting_wheel_have_no_recipe() {
        assert!(recipe("linux", "x86_64", "musl").is_none(), "the wheels want glibc");
        assert!(recipe("macos", "x86_64", "").is_none());
        assert!(recipe("windows", "x86_64", "msvc").is_none());
    }

    #[test]
    fn every_recipe_makes_what_the_binding_links() {
        for recipe in ALL {
            for name in ["libtorch_cpu.", "libtorch.", "libc10."] {
                let found = recipe.libraries().any(|path| path.starts_with(&format!("lib/{name}")));
                assert!(found, "{}: no {name}", recipe.platform);
            }
            assert!(recipe.libraries().all(|path| !path.contains("cuda.")), "the binding would link CUDA");
        }
    }

    #[test]
    fn wheels_are_of_the_version_and_the_platform() {
        for recipe in ALL {
            let torch = recipe.wheels.last().map(|wheel| wheel.requirement);
            assert_eq!(torch, Some(format!("torch=={VERSION}").as_str()), "{}", recipe.platform);
            let arm = recipe.platform.ends_with("aarch64");
            for wheel in recipe.wheels {
                assert_eq!(wheel.tag.ends_with("x86_64"), !arm, "{}: {}", recipe.platform, wheel.tag);
                assert_eq!(wheel.sha256.len(), 64, "{}: {}", recipe.platform, wheel.requirement);
            }
        }
    }
}
