// Package startup does what has to be done before Ebitengine starts: its packages open the display while they are initialised, before
// main, and panic where there is none. This one imports nothing but os and syscall, so its turn comes first.
package startup

// Usage is what --help prints.
const Usage = `The window of Weft: draw a digit, look inside, train.

  window [flags]

  --data FOLDER        MNIST's four files, or others of their kind, to train on beside the built-in digits; they may also be dropped on the window
  --theme light|dark   colours to begin with (light)
  --size WxH           of the window (1180x760)
  --screenshots DIR    F12 writes a picture of the window into this folder
  --trace FILE         write what the window shows as lines of JSON; - is standard output

Keys: 1 2 3 scenes; Tab, arrows, Space, Enter; C clears, Z undoes a stroke; S starts and stops training, P pauses;
N changes between MNIST's weights and the trained ones; T changes the colours.
`
