package learn

import "errors"

// Sets is data that the user has named; a page has none yet.
type Sets struct{}

// page is the trainer of a page. It says that it cannot train: training would stop the page's only thread between frames.
type page struct{ snap Snapshot }

// New returns a trainer.
func New(*Sets) Trainer { return &page{} }

func (t *page) Start(Config) error {
	return errors.New("this build of the page does not train: run the window natively with \"make window\"")
}

func (t *page) Pause()              {}
func (t *page) Resume()             {}
func (t *page) Stop()               {}
func (t *page) Close()              {}
func (t *page) Weights() []byte     { return nil }
func (t *page) Snapshot() *Snapshot { return &t.snap }
