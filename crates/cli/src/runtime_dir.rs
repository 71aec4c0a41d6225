//! The folder that graphics drivers expect a desktop to name.

/// Starts the program again with `XDG_RUNTIME_DIR` set, if it is not: Mesa's Vulkan drivers complain about
/// that on stderr. A process cannot safely change its own environment, and the same process goes on, so
/// signals reach it as before. If that fails, the complaint is all that comes of it.
#[cfg(target_os = "linux")]
pub(crate) fn ensure() {
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    const NAME: &str = "XDG_RUNTIME_DIR";
    if std::env::var_os(NAME).is_some() {
        return;
    }
    let mut arguments = std::env::args_os();
    let Some(name) = arguments.next() else { return };
    let mut again = Command::new("/proc/self/exe");
    again.arg0(name).args(arguments).env(NAME, std::env::temp_dir());
    let _ = again.exec();
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn ensure() {}
