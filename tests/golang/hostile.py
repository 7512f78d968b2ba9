"""Programs that mean harm, each as the test file of a package, and how a run of it must end."""

from __future__ import annotations

from hrm_ray.golang.confined import Limits, Verdict

MIB = 1 << 20

_AGAIN = """
func again(args ...string) (*os.Process, error) {
	return os.StartProcess(os.Args[0], append(os.Args[:1:1], args...), &os.ProcAttr{
		Env: os.Environ(), Files: files, Sys: &syscall.SysProcAttr{Setsid: true},
	})
}
"""

_PROGRAMS: dict[str, tuple[Verdict, Limits, str, str]] = {
    "fork bomb": (
        Verdict.PROCESSES,
        Limits(seconds=12),
        "os syscall testing",
        _AGAIN
        + """
var files []*os.File

func TestBomb(t *testing.T) {
	for {
		again("-test.run=TestBomb")
	}
}
""",
    ),
    "threads": (
        Verdict.PROCESSES,
        Limits(),
        "runtime testing time",
        """
func TestThreads(t *testing.T) {
	for range 1000 {
		go func() {
			runtime.LockOSThread()
			time.Sleep(time.Hour)
		}()
	}
	time.Sleep(time.Hour)
}
""",
    ),
    "memory": (
        Verdict.MEMORY,
        Limits(memory=256 * MIB),
        "testing",
        """
var kept [][]byte

func TestMemory(t *testing.T) {
	for range 1 << 10 {
		chunk := make([]byte, 1<<20)
		for i := range chunk {
			chunk[i] = byte(i)
		}
		kept = append(kept, chunk)
	}
}
""",
    ),
    "disk": (
        Verdict.DISK,
        Limits(disk=48 * MIB),
        "fmt os testing",
        """
func TestDisk(t *testing.T) {
	for i := range 100 {
		if err := os.WriteFile(fmt.Sprintf("/tmp/%d", i), make([]byte, 1<<20), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
""",
    ),
    "one large file": (
        Verdict.DISK,
        Limits(disk=48 * MIB),
        "os testing",
        """
func TestFile(t *testing.T) {
	if err := os.WriteFile("/tmp/large", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate("/tmp/large", 1<<30); err != nil {
		t.Fatal(err)
	}
}
""",
    ),
    "sleeper": (
        Verdict.TIMEOUT,
        Limits(seconds=3),
        "testing time",
        """
func TestSleep(t *testing.T) { time.Sleep(time.Hour) }
""",
    ),
    "sleeper that is silent": (
        Verdict.TIMEOUT,
        Limits(seconds=3),
        "os syscall testing time",
        """
func TestSilence(t *testing.T) {
	syscall.Kill(os.Getppid(), syscall.SIGSTOP) // first: without its files Go's runtime may crash, and that be told
	for fd := range 64 {
		syscall.Close(fd)
	}
	time.Sleep(time.Hour)
}
""",
    ),
    "output": (
        Verdict.OUTPUT,
        Limits(),
        "fmt testing",
        """
func TestFlood(t *testing.T) {
	for {
		fmt.Println("more and more and more and more and more and more and more")
	}
}
""",
    ),
    "quitter": (
        Verdict.FAILED,
        Limits(),
        "os testing",
        """
func init() { os.Exit(0) }

func TestNothing(t *testing.T) { t.Fatal("never run") }
""",
    ),
    "liar": (
        Verdict.FAILED,
        Limits(),
        "fmt os testing",
        """
func init() {
	fmt.Print("=== RUN   TestNothing\\n--- PASS: TestNothing (0.00s)\\nPASS\\n")
	os.Exit(0)
}

func TestNothing(t *testing.T) { t.Fatal("never run") }
""",
    ),
    "skipper": (
        Verdict.FAILED,
        Limits(),
        "os testing",
        """
func init() {
	os.Stdout.WriteString("--- PASS: TestNothing (0.00s)\\n")
	os.Args = append(os.Args, "-test.skip=.")
}

func TestNothing(t *testing.T) { t.Fatal("never run") }
""",
    ),
    "killer": (
        Verdict.FAILED,
        Limits(),
        "syscall testing",
        """
func TestKill(t *testing.T) { syscall.Kill(-1, syscall.SIGKILL) }
""",
    ),
    "large object": (
        Verdict.DISK,
        Limits(disk=48 * MIB),
        "testing",
        """
var large = [1 << 26]byte{1<<26 - 1: 1}

func TestLarge(t *testing.T) { t.Log(large[len(t.Name())]) }
""",
    ),
}

DAEMON = (
    _AGAIN
    + """
var files = STREAMS

func TestDaemon(t *testing.T) {
	if len(flag.Args()) > 0 {
		time.Sleep(time.Hour)
	}
	if _, err := again("-test.run=TestDaemon", "MARK"); err != nil {
		t.Fatal(err)
	}
}
"""
)
"""A test that passes, and leaves a child in a session of its own, with MARK in its arguments and STREAMS open."""

ESCAPES = """
func TestEscape(t *testing.T) {
	for name, attempt := range map[string]func() error{
		"read shadow":    func() error { return read("/etc/shadow") },
		"read passwd":    func() error { return read("/etc/passwd") },
		"read home":      func() error { return read("HOME") },
		"read device":    func() error { return read("/dev/vda") },
		"read processes": func() error { return read("/proc/self/status") },
		"read groups":    func() error { return read("/sys/fs/cgroup/cgroup.procs") },
		"write root":     func() error { return write("/made") },
		"write sources":  func() error { return write("/src/made") },
		"write go":       func() error { return write("/go/made") },
		"write warm":     func() error { return write("/warm/made") },
		"write dev":      func() error { return write("/dev/made") },
		"write shm":      func() error { return write("/dev/shm/made") },
		"write linked":   func() error { return write(linked()) },
		"set sysctl":     func() error { return write("/proc/sys/kernel/hostname") },
		"sysrq":          func() error { return write("/proc/sysrq-trigger") },
		"mount":          func() error { return syscall.Mount("none", "/tmp", "tmpfs", 0, "") },
		"mount proc":     func() error { return syscall.Mount("proc", "/tmp", "proc", 0, "") },
		"unmount":        func() error { return syscall.Unmount("/warm", 0) },
		"remount":        func() error { return syscall.Mount("", "/go", "", syscall.MS_REMOUNT|syscall.MS_BIND, "") },
		"chroot":         func() error { return syscall.Chroot("/tmp") },
		"new user":       func() error { return syscall.Unshare(syscall.CLONE_NEWUSER) },
		"new mounts":     func() error { return syscall.Unshare(syscall.CLONE_NEWNS) },
		"become root":    func() error { return syscall.Setuid(0) },
		"trace host":     func() error { return syscall.PtraceAttach(HOSTPID) },
		"kill host":      func() error { return syscall.Kill(HOSTPID, 0) },
		"make device":    func() error { return syscall.Mknod("/tmp/device", syscall.S_IFBLK|0o600, 254<<8) },
		"raise limit": func() error {
			return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 40, Max: 1 << 40})
		},
		"rename machine": func() error { return syscall.Sethostname([]byte("made")) },
		"connect":        func() error { return connect([4]byte{127, 0, 0, 1}, PORT) },
		"send":           func() error { return send([4]byte{8, 8, 8, 8}) },
		"listen":         func() error { return open(syscall.AF_INET6, syscall.SOCK_DGRAM) },
		"netlink":        func() error { return open(syscall.AF_NETLINK, syscall.SOCK_RAW) },
		"hypervisor":     func() error { return open(VSOCK, syscall.SOCK_STREAM) },
		"abstract":       func() error { return reach("@SOCKET") },
CALLS
	} {
		if attempt() == nil {
			t.Errorf("escaped: %s", name)
		}
	}
}

func read(path string) error {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	file, err := os.Open(path)
	if err == nil {
		file.Close()
	}
	return err
}

func write(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err == nil {
		file.Close()
	}
	return err
}

func open(family, kind int) error {
	fd, err := syscall.Socket(family, kind, 0)
	if err == nil {
		syscall.Close(fd)
	}
	return err
}

func reach(name string) error {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	return syscall.Connect(fd, &syscall.SockaddrUnix{Name: name})
}

func call(number uintptr) error {
	if _, _, err := syscall.RawSyscall(number, 0, 0, 0); err == syscall.EPERM {
		return err
	}
	return nil
}

func linked() string {
	found, _ := filepath.Glob("/tmp/cache/0?/*-d")
	for _, path := range found {
		if to, err := os.Readlink(path); err == nil {
			return to
		}
	}
	return "/tmp/no link"
}

func connect(address [4]byte, port int) error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	return syscall.Connect(fd, &syscall.SockaddrInet4{Port: port, Addr: address})
}

func send(address [4]byte) error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	return syscall.Sendto(fd, []byte("out"), 0, &syscall.SockaddrInet4{Port: 53, Addr: address})
}
"""


def source(imports: str, body: str) -> dict[str, str]:
    """A package of one test file."""
    listed = "\n".join(f'import "{path}"' for path in imports.split())
    return {"task_test.go": f"package task\n\n{listed}\n{body}"}


PROGRAMS = {
    name: (verdict, limits, source(imports, body)) for name, (verdict, limits, imports, body) in _PROGRAMS.items()
}
