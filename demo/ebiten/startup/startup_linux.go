package startup

import (
	"os"
	"slices"
	"syscall"
)

func init() {
	problem := problem(os.Getenv("DISPLAY"))
	if problem == "" {
		return
	}
	for _, flag := range []string{"-h", "-help", "--help"} {
		if slices.Contains(os.Args[1:], flag) {
			os.Stdout.WriteString(Usage)
			os.Exit(0)
		}
	}
	os.Stderr.WriteString("weft window: " + problem + "; the window needs X11 (on Wayland: XWayland), and \"xvfb-run\" gives one without a screen\n")
	os.Exit(1)
}

// problem says what is wrong with a display, "" where nothing is known to be.
func problem(display string) string {
	if display == "" {
		return "there is no display: DISPLAY is not set"
	}
	number, local := socket(display)
	if !local {
		return "" // another machine's, which is asked when the window opens
	}
	path := "/tmp" + "/.X11-unix/X" + number // whatever TMPDIR says
	// Servers listen at the path or at the abstract name, or at both.
	for _, name := range []string{path, "@" + path} {
		s, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			return ""
		}
		err = syscall.Connect(s, &syscall.SockaddrUnix{Name: name})
		syscall.Close(s)
		if err == nil {
			return ""
		}
	}
	return "the display " + display + " does not answer"
}

// socket returns the number of a display of this machine, such as ":1" or ":1.0".
func socket(display string) (number string, local bool) {
	if display[0] != ':' {
		return "", false
	}
	end := 1
	for end < len(display) && display[end] >= '0' && display[end] <= '9' {
		end++
	}
	return display[1:end], end > 1 && (end == len(display) || display[end] == '.')
}
