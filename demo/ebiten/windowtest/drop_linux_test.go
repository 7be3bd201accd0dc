package windowtest

import (
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"

	"github.com/weft-ml/weft/core/data/idx"
	"github.com/weft-ml/weft/demo/ebiten/scene"
)

// drop drops files on the window as a file manager does, by X's drag and drop (freedesktop.org, XDND 5).
func (w *window) drop(paths ...string) {
	w.t.Helper()
	must := func(err error) {
		w.t.Helper()
		if err != nil {
			w.t.Fatal(err)
		}
	}
	name := ""
	for _, v := range w.env {
		if d, ok := strings.CutPrefix(v, "DISPLAY="); ok {
			name = d
		}
	}
	xgb.Logger = log.New(io.Discard, "", 0) // it tells of the missing password, which the display has none of
	x, err := xgb.NewConnDisplay(name)
	must(err)
	defer x.Close()
	atoms := map[string]xproto.Atom{}
	for _, a := range []string{"XdndSelection", "XdndEnter", "XdndPosition", "XdndStatus", "XdndDrop", "XdndFinished", "XdndActionCopy", "text/uri-list"} {
		r, err := xproto.InternAtom(x, false, uint16(len(a)), a).Reply()
		must(err)
		atoms[a] = r.Atom
	}
	screen := xproto.Setup(x).DefaultScreen(x)
	source, err := xproto.NewWindowId(x)
	must(err)
	must(xproto.CreateWindowChecked(x, screen.RootDepth, source, screen.Root, 0, 0, 1, 1, 0, xproto.WindowClassInputOutput, screen.RootVisual, 0, nil).Check())
	must(xproto.SetSelectionOwnerChecked(x, source, atoms["XdndSelection"], xproto.TimeCurrentTime).Check())
	id, err := strconv.ParseUint(w.id, 10, 32)
	must(err)
	target := xproto.Window(id)
	at, err := xproto.TranslateCoordinates(x, target, screen.Root, 50, 50).Reply()
	must(err)
	say := func(kind string, data ...uint32) {
		w.t.Helper()
		e := xproto.ClientMessageEvent{Format: 32, Window: target, Type: atoms[kind],
			Data: xproto.ClientMessageDataUnionData32New(append([]uint32{uint32(source)}, data...))}
		must(xproto.SendEventChecked(x, false, target, 0, string(e.Bytes())).Check())
	}
	list := ""
	for _, p := range paths {
		list += (&url.URL{Scheme: "file", Path: p}).String() + "\r\n"
	}
	events := make(chan xgb.Event)
	go func() {
		defer close(events)
		for {
			e, err := x.WaitForEvent()
			if e == nil && err == nil {
				return
			}
			if e != nil {
				events <- e
			}
		}
	}()
	say("XdndEnter", 5<<24, uint32(atoms["text/uri-list"]), 0, 0)
	say("XdndPosition", 0, uint32(at.DstX)<<16|uint32(at.DstY), xproto.TimeCurrentTime, uint32(atoms["XdndActionCopy"]))
	timeout := time.After(20 * time.Second)
	for {
		select {
		case <-timeout:
			w.t.Fatal("the window does not take what is dropped")
		case event := <-events:
			switch e := event.(type) {
			case xproto.ClientMessageEvent:
				switch e.Type {
				case atoms["XdndStatus"]:
					if e.Data.Data32[1]&1 == 0 {
						w.t.Fatal("the window takes no files")
					}
					say("XdndDrop", 0, xproto.TimeCurrentTime, 0, 0)
				case atoms["XdndFinished"]:
					return
				}
			case xproto.SelectionRequestEvent:
				must(xproto.ChangePropertyChecked(x, xproto.PropModeReplace, e.Requestor, e.Property, e.Target, 8, uint32(len(list)), []byte(list)).Check())
				n := xproto.SelectionNotifyEvent{Time: e.Time, Requestor: e.Requestor, Selection: e.Selection, Target: e.Target, Property: e.Property}
				must(xproto.SendEventChecked(x, false, e.Requestor, 0, string(n.Bytes())).Check())
			}
		}
	}
}

// files writes four files of MNIST's kind: each class is a bar at a place of its own.
func files(t *testing.T, dir string) (paths []string) {
	t.Helper()
	for name, n := range map[string]int{"train": 640, "t10k": 100} {
		pixels, labels := make([]byte, n*784), make([]byte, n)
		for i := range n {
			labels[i] = byte(i % 10)
			for k := range 3 * 28 {
				pixels[i*784+(4+2*(i%10))*28+k] = byte(200 + i%50)
			}
		}
		write := func(file string, dims []int, elements []byte) {
			path := filepath.Join(dir, name+file)
			f, err := os.Create(path)
			if err == nil {
				err = idx.Write(f, dims, elements)
				f.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			paths = append(paths, path)
		}
		write("-images-idx3-ubyte", []int{n, 28, 28}, pixels)
		write("-labels-idx1-ubyte", []int{n}, labels)
	}
	return paths
}

// TestDrop drops files on the window: what is wrong with them is told, MNIST's kind is trained on, as files or as their folder, and one goes
// back to the built-in digits.
func TestDrop(t *testing.T) {
	w := start(t)
	dir := filepath.Join(t.TempDir(), "bars & more")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	paths := files(t, dir)
	notes := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(notes, []byte("no images"), fs.FileMode(0o644)); err != nil {
		t.Fatal(err)
	}
	told := func(text string) func(*scene.State) bool {
		return func(s *scene.State) bool { return strings.Contains(s.Notice, text) }
	}
	w.drop(notes)
	w.wait("told of notes", told("notes.txt: no MNIST files"))
	w.shoot()
	w.drop(paths[0], paths[1])
	w.wait("told of what is missing", told("no file "))
	w.drop(paths...)
	w.wait("at the files", func(s *scene.State) bool {
		return s.Scene == "train" && s.Data == "Your files" && told("640 training and 100 test images")(s)
	})
	w.drop(dir)
	w.wait("at the folder", func(s *scene.State) bool { return s.Data == "bars & more" })
	s := w.press("s", "done", func(s *scene.State) bool { return s.Training == "done" && s.Tests == 5 })
	if s.Steps != 100 || s.Accuracy < 0.9 {
		t.Errorf("%d steps, accuracy %v", s.Steps, s.Accuracy)
	}
	w.shoot()
	for range 20 {
		if w.now.Focus == "data" {
			break
		}
		was := w.now.Focus
		w.press("Tab", "at another control", func(s *scene.State) bool { return s.Focus != was })
	}
	w.press("Left", "at the built-in digits", func(s *scene.State) bool { return s.Data == "Built in" })
}

// TestPartialDrawing: what is drawn piece by piece is, pixel by pixel, what is drawn at once.
func TestPartialDrawing(t *testing.T) {
	w := start(t)
	w.seven(36, 80, 595)
	w.wait("read", func(s *scene.State) bool { return s.Answer != nil && *s.Answer == 7 })
	w.press("3", "at training", func(s *scene.State) bool { return s.Scene == "train" })
	w.press("s", "training", func(s *scene.State) bool { return s.Training == "running" && s.Points > 60 })
	w.press("s", "stopped", func(s *scene.State) bool { return s.Training == "stopped" })
	for i, name := range []string{"draw", "inside", "train"} {
		w.press(strconv.Itoa(i+1), "at "+name, func(s *scene.State) bool { return s.Scene == name })
		w.xdo("mousemove", "--window", w.id, "600", "400")
		if i < 2 {
			w.press("z", "without ink", func(s *scene.State) bool { return s.Strokes == 0 })
			w.seven(60, 100, 250)
			w.wait("drawn", func(s *scene.State) bool { return s.Strokes == 1 && s.Answer != nil })
		}
		w.xdo("mousemove", "--window", w.id, "4", "4")
		time.Sleep(300 * time.Millisecond)
		pieces := w.shoot()
		// Another size and back: everything is drawn.
		for _, size := range [][2]string{{"1000", "700"}, {"1180", "760"}} {
			w.xdo("windowsize", w.id, size[0], size[1])
			w.wait("of another size", func(s *scene.State) bool { return fmt.Sprint(s.Width*s.Scale) == size[0] })
		}
		time.Sleep(300 * time.Millisecond)
		whole := w.shoot()
		if pieces.Bounds() != whole.Bounds() {
			t.Fatalf("%s: %v and %v", name, pieces.Bounds(), whole.Bounds())
		}
		wrong := 0
		for y := range whole.Bounds().Dy() {
			for x := range whole.Bounds().Dx() {
				if pieces.At(x, y) != whole.At(x, y) {
					if wrong++; wrong < 4 {
						t.Errorf("%s: at %d, %d %v, at once %v", name, x, y, pieces.At(x, y), whole.At(x, y))
					}
				}
			}
		}
		if wrong > 0 {
			t.Errorf("%s: %d pixels differ", name, wrong)
		}
	}
}
